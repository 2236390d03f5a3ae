"""The pieces that belong to the engine itself: webhook, delay, schedule, tables and the like.

Longer than 300 lines: it is data.
"""

from __future__ import annotations

from .props import action, array, checkbox, choice, dynamic, long_text, lookup, note, number, piece, prop, text, trigger

RESPONSE = {
    "responseType": choice("Response type", "json", "raw", "redirect", required=True, defaultValue="json"),
    "fields": dynamic("Response", "responseType", required=True),
    "respond": choice("Afterwards", ("End the run", "stop"), ("Go on", "respond"), defaultValue="stop"),
}
HOUR = number("Hour of the day", required=True, help="0 to 23.")
TIMEZONE = choice(
    "Time zone", ("UTC", "UTC"), ("Việt Nam", "Asia/Ho_Chi_Minh"), ("Singapore", "Asia/Singapore"), required=True
)
WEEKENDS = checkbox("Run on weekends", required=True, defaultValue=False)

PIECES = [
    piece(
        "webhook",
        "Webhook",
        "0.1.25",
        "Start a flow by an HTTP request, and answer it.",
        ["CORE"],
        None,
        (
            action("return_response", "Return Response", "Answer the request that started the flow.", **RESPONSE),
            action(
                "return_response_and_wait_for_next_webhook",
                "Respond and Wait",
                "Answer, then wait until the flow is called again.",
                **RESPONSE,
            ),
        ),
        (
            trigger(
                "catch_webhook",
                "Catch Webhook",
                "Starts with each request to the flow's address.",
                "WEBHOOK",
                None,
                liveMarkdown=note("Send a request to the flow's address to start it."),
                authType=choice("Authentication", "none", "basic", "header", required=True, defaultValue="none"),
                authFields=dynamic("Authentication details", "authType"),
            ),
        ),
    ),
    piece(
        "delay",
        "Delay",
        "0.3.21",
        "Wait before the next step.",
        ["CORE", "FLOW_CONTROL"],
        None,
        (
            action(
                "delayFor",
                "Delay For",
                "Wait for a while.",
                markdown=note("A step waits 30 days at most."),
                unit=choice("Unit", "seconds", "minutes", "hours", "days", required=True, defaultValue="seconds"),
                delayFor=number("Amount", required=True, help="How many units to wait."),
            ),
            action(
                "delay_until",
                "Delay Until",
                "Wait until a moment.",
                markdown=note("A step waits 30 days at most."),
                delayUntilTimestamp=prop("DATE_TIME", "Date and time", required=True),
            ),
        ),
    ),
    piece(
        "schedule",
        "Schedule",
        "0.1.13",
        "Start a flow by the clock.",
        ["CORE"],
        None,
        (),
        (
            trigger(
                "every_x_minutes",
                "Every X Minutes",
                "Starts every few minutes.",
                "POLLING",
                None,
                minutes=number("Minutes", required=True),
            ),
            trigger("every_hour", "Every Hour", "Starts at each full hour.", "POLLING", None, run_on_weekends=WEEKENDS),
            trigger(
                "every_day",
                "Every Day",
                "Starts once a day.",
                "POLLING",
                None,
                hour_of_the_day=HOUR,
                timezone=TIMEZONE,
                run_on_weekends=WEEKENDS,
            ),
            trigger(
                "every_week",
                "Every Week",
                "Starts once a week.",
                "POLLING",
                None,
                hour_of_the_day=HOUR,
                day_of_the_week=number("Day of the week", required=True),
                timezone=TIMEZONE,
            ),
            trigger(
                "every_month",
                "Every Month",
                "Starts once a month.",
                "POLLING",
                None,
                day_of_the_month=number("Day of the month", required=True),
                hour_of_the_day=HOUR,
                timezone=TIMEZONE,
            ),
            trigger(
                "cron_expression",
                "Cron Expression",
                "Starts as a cron expression says.",
                "POLLING",
                None,
                cronExpression=text("Cron expression", required=True),
                timezone=TIMEZONE,
            ),
        ),
    ),
    piece(
        "forms",
        "Human Input",
        "0.4.8",
        "Ask people by a form or a chat.",
        ["CORE", "FORMS_AND_SURVEYS"],
        None,
        (action("return_response", "Respond on UI", "Show an answer on the form.", **RESPONSE),),
        (
            trigger(
                "form_submission",
                "Web Form",
                "Starts when a form is sent.",
                "WEBHOOK",
                None,
                about=note("The form has an address of its own."),
                response=checkbox("Wait for an answer", required=True, defaultValue=False),
                inputs=array(
                    "Fields",
                    required=True,
                    of={
                        "displayName": text("Label", required=True),
                        "type": choice("Kind", "text", "text_area", "file", "toggle", required=True),
                        "description": text("Help"),
                        "required": checkbox("Required", required=True),
                    },
                ),
            ),
        ),
    ),
    piece(
        "http",
        "HTTP",
        "0.9.5",
        "Call any address.",
        ["CORE"],
        None,
        (
            action(
                "send_request",
                "Send HTTP request",
                "Send a request and read the answer.",
                method=choice("Method", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", required=True),
                url=text("URL", required=True),
                headers=prop("OBJECT", "Headers", required=True),
                queryParams=prop("OBJECT", "Query", required=True),
                body_type=choice("Kind of body", "none", "form_data", "json", "raw", required=False),
                body=dynamic("Body", "body_type"),
                timeout=number("Time-out in seconds"),
            ),
        ),
    ),
    piece(
        "store",
        "Storage",
        "0.6.10",
        "Remember values between runs.",
        ["CORE"],
        None,
        tuple(
            action(name, label, words, key=text("Key", required=True, help="At most 128 letters."), **more)
            for name, label, words, more in (
                ("get", "Get", "Read a value.", {"defaultValue": text("Otherwise")}),
                ("put", "Put", "Write a value.", {"value": text("Value", required=True)}),
                (
                    "append",
                    "Append",
                    "Add to a text.",
                    {"value": text("Value", required=True), "separator": text("Separator")},
                ),
                ("remove_value", "Remove", "Forget a value.", {}),
                ("add_to_list", "Add To List", "Add to a list.", {"value": text("Value", required=True)}),
                (
                    "remove_from_list",
                    "Remove from List",
                    "Take out of a list.",
                    {"value": text("Value", required=True)},
                ),
            )
        ),
    ),
    piece(
        "tables",
        "Tables",
        "0.2.9",
        "Read and write the engine's own tables.",
        ["CORE"],
        None,
        tuple(
            action(name, label, words, table_id=lookup("Table", required=True), **more)
            for name, label, words, more in (
                (
                    "tables-create-records",
                    "Create Record(s)",
                    "Add records.",
                    {"values": dynamic("Values", "table_id", required=True)},
                ),
                (
                    "tables-delete-record",
                    "Delete Record(s)",
                    "Delete records.",
                    {"records_ids": array("Records", required=True)},
                ),
                (
                    "tables-update-record",
                    "Update Record",
                    "Change a record.",
                    {
                        "record_id": text("Record", required=True),
                        "values": dynamic("Values", "table_id", required=True),
                    },
                ),
                ("tables-get-record", "Get Record", "Read a record.", {"record_id": text("Record", required=True)}),
                (
                    "tables-find-records",
                    "Find Records",
                    "Search records.",
                    {"limit": number("Limit"), "filters": dynamic("Filters", "table_id")},
                ),
                ("tables-clear-table", "Clear Table", "Empty a table.", {}),
            )
        ),
        tuple(
            trigger(name, label, words, "WEBHOOK", None, table_id=lookup("Table", required=True))
            for name, label, words in (
                ("newRecord", "New Record Created", "Starts with each new record."),
                ("updatedRecord", "Record Updated", "Starts when a record changes."),
                ("deletedRecord", "Record Deleted", "Starts when a record goes."),
            )
        ),
    ),
    piece(
        "subflows",
        "Sub Flows",
        "0.4.7",
        "Call one flow from another.",
        ["CORE", "FLOW_CONTROL"],
        None,
        (
            action(
                "callFlow",
                "Call Flow",
                "Start a flow of this project.",
                flow=lookup("Flow", required=True),
                mode=choice("Input", "simple", "advanced", required=True),
                flowProps=dynamic("Values", "flow", "mode", required=True),
                waitForResponse=checkbox("Wait for its answer"),
            ),
            action(
                "returnResponse",
                "Return Response",
                "Answer the calling flow.",
                mode=choice("Output", "simple", "advanced", required=True),
                response=dynamic("Answer", "mode", required=True),
            ),
        ),
        (
            trigger(
                "callableFlow",
                "Callable Flow",
                "Starts when another flow calls.",
                "WEBHOOK",
                None,
                mode=choice("Input", "simple", "advanced", required=True),
                exampleData=dynamic("Example", "mode", required=True),
            ),
        ),
    ),
    piece(
        "approval",
        "Approval (Legacy)",
        "0.1.14",
        "Wait for somebody's yes.",
        ["CORE", "FLOW_CONTROL"],
        None,
        (
            action("wait_for_approval", "Wait for Approval", "Pause until somebody decides."),
            action("create_approval_links", "Create Approval Links", "Links to approve or to refuse."),
        ),
    ),
    piece(
        "data-mapper",
        "Data Mapper",
        "0.3.11",
        "Bring data into another shape.",
        ["CORE"],
        None,
        (
            action(
                "advanced_mapping",
                "Advanced Mapping",
                "Any shape, written as JSON.",
                mapping=prop("JSON", "Mapping", required=True),
            ),
        ),
    ),
    piece(
        "math-helper",
        "Math Helper",
        "0.0.17",
        "Calculate.",
        ["CORE"],
        None,
        tuple(
            action(
                name,
                label,
                words,
                first_number=number("First number", required=True),
                second_number=number("Second number", required=True),
            )
            for name, label, words in (
                ("addition_math", "Addition", "Add two numbers."),
                ("subtraction_math", "Subtraction", "Take one number from another."),
                ("multiplication_math", "Multiplication", "Multiply two numbers."),
                ("division_math", "Division", "Divide one number by another."),
                ("modulo_math", "Modulo", "The rest of a division."),
                ("generateRandom_math", "Random Number", "Any number between two others."),
            )
        ),
    ),
    piece(
        "text-helper",
        "Text Helper",
        "0.4.1",
        "Work with text.",
        ["CORE"],
        None,
        (
            action(
                "concat", "Concatenate", "Join texts.", texts=array("Texts", required=True), separator=text("Separator")
            ),
            action(
                "replace",
                "Replace",
                "Replace a part of a text.",
                text=long_text("Text", required=True),
                searchValue=text("Search for", required=True),
                replaceValue=text("Replace by"),
            ),
            action(
                "split",
                "Split",
                "Cut a text into parts.",
                text=long_text("Text", required=True),
                delimiter=text("At", required=True),
            ),
        ),
    ),
    piece(
        "date-helper",
        "Date Helper",
        "0.1.9",
        "Work with dates.",
        ["CORE"],
        None,
        (
            action(
                "get_current_date",
                "Get Current Date",
                "Now, in a format.",
                timeFormat=text("Format", required=True),
                timeZone=TIMEZONE,
            ),
            action(
                "format_date",
                "Format Date",
                "Write a date differently.",
                inputDate=text("Date", required=True),
                outputFormat=text("Format", required=True),
            ),
        ),
    ),
]
