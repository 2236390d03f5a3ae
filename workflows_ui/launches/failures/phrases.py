"""Rules that recognise failures by the beginnings of messages, in English and Vietnamese.

A rule exists only where the meaning is certain. So no rule searches for a word inside a sentence: "quota", "limit", "expired" or
"not found" may be about a customer's order as well as about the service. Comments name the source of a group of phrases.
"""

import re

#: Text of a 429 about a used-up daily, monthly or yearly quota and not about the rate of requests.
ALLOWANCE = re.compile(
    r"\b(?:daily|monthly|yearly)\b.{0,60}\b(?:quota|limit|allowance)\b"
    r"|\b(?:quota|limit|allowance)\b.{0,60}\b(?:per|a|this|the) (?:day|month|year)\b",
    re.IGNORECASE,
)
#: What a Vietnamese message may end with: nothing, or a request to try again or to ask somebody.
_END = r"(?: ?[.!]?$|[,.;] (?:vui lòng|xin|hãy|bạn)\b)"
#: The same in English.
_PLEASE = r"(?:[.!]?$|[.!,;] (?:please|try)\b)"
#: Records of business services.
_THING = (
    r"(?:đơn hàng|vận đơn|hóa đơn|hoá đơn|khách hàng|sản phẩm|hàng hóa|nhân viên|tài khoản|người dùng|phiếu|chứng từ|chi nhánh"
    r"|hợp đồng|bưu cục|danh mục|nhà cung cấp|đối tác|vai trò|tài nguyên|bản ghi|tệp|tập tin|file|thư mục|trang tính"
    r"|sheet|mẫu|giao dịch"
    r"|yêu cầu|mã|liên kết|đường dẫn|trang|voucher)"
)
_WHICH = r"(?: (?:này|yêu cầu|tương ứng|phù hợp|(?:trên|trong) hệ thống))?"
#: What is said to exist or not: anything short, but not what people report to each other.
_ANY = r"(?!(?:lỗi|vấn đề|sự cố|rủi ro|nguy cơ|tình trạng|công nợ|nợ|tranh chấp)\b)[^\n,.;:\"'?]{1,60}"
_LOGIN = r"(?:tên đăng nhập|tài khoản|email|username)(?: hoặc | và | hay |/)(?:mật khẩu|password)"
#: How clients and the service itself begin Telegram's descriptions.
_TELEGRAM = r"(?:ETELEGRAM: )?(?:\d{3} )?(?:Bad Request|Forbidden|Too Many Requests): "
#: Beginnings of messages, after the error names before them; `$` marks a whole message. The first match counts.
PHRASES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("memory", r"(?s-i:Code process exited with code .{0,4000}JavaScript heap out of memory)"),
        ("run_data", r"Flow run (?:data|logs) size exceeded\b"),
        # Recording subflow_child_fails_01_parent_run.
        ("called_flow", r"Subflow execution failed$"),
        ("connection_missing", r"connection \([^()\n]{1,200}\) not found\.?$"),
        ("sign_in", r"connection \([^()\n]{1,200}\) expired\.?$"),
        ("sign_in", r"incorrect API key provided\b"),
        ("sign_in", r"API key not valid\. Please pass a valid API key"),
        ("sign_in", r"\[API\] Invalid API key or access token\b"),
        ("sign_in", r"error validating access token: "),
        ("sign_in", r"access token (?:is invalid|has expired|is expired)\.?$"),
        ("sign_in", r"invalid_grant(?:$|[:. ])"),
        ("sign_in", r"AADSTS(?:50173|700082|700084|70008|7000215|7000222):"),
        ("sign_in", r"password authentication failed for user \""),
        ("sign_in", r"(?:ER_ACCESS_DENIED_ERROR: )?access denied for user '[^'\n]{0,100}'@'"),
        ("sign_in", r"bad auth : "),
        ("sign_in", r"ORA-01017: "),
        ("sign_in", r"login failed for user '"),
        ("sign_in", r"(?:WRONGPASS|NOAUTH) "),
        ("permission", r"permission denied for (?:table|schema|relation|database|sequence|function|view|column) "),
        ("permission", r"EACCES: permission denied, "),
        ("permission", r"EPERM: operation not permitted, "),
        ("permission", r"AccessDenied(?:Exception)?: User: arn:"),
        ("quota", r"you exceeded your current quota, please check your plan and billing details"),
        ("pause", r"API rate limit exceeded\b"),
        ("pause", r"rate limit reached for "),
        ("pause", r"rate limit exceeded\.?$"),
        ("pause", r"exceeded \d+ calls per second for api client\b"),
        ("pause", r"too many requests, please try again later\.?$"),
        ("exists", r"duplicate key value violates unique constraint\b"),
        ("exists", r"(?:ER_DUP_ENTRY: )?duplicate entry '[^\n]{0,300}' for key '"),
        ("exists", r"E11000 duplicate key error\b"),
        ("exists", r"(?:SQLITE_CONSTRAINT(?:_UNIQUE)?: )?UNIQUE constraint failed: "),
        ("exists", r"violation of (?:PRIMARY|UNIQUE) KEY constraint '"),
        ("exists", r"contact already exists\. Existing ID: "),
        ("exists", r"ORA-00001: "),
        ("missing", r"null value in column \""),
        ("missing", r"(?:SQLITE_CONSTRAINT(?:_NOTNULL)?: )?NOT NULL constraint failed: "),
        ("missing", r"(?:ER_BAD_NULL_ERROR: )?column '[^'\n]{1,100}' cannot be null\.?$"),
        ("missing", r"cannot (?:read|set) propert(?:y|ies) (?:'[^'\n]{0,200}' )?of (?:undefined|null)\b"),
        ("missing", r"no recipients defined\.?$"),
        ("too_large", r"request entity too large\.?$"),
        ("too_large", r"value too long for type character\b"),
        ("too_large", r"(?:ER_DATA_TOO_LONG: )?data too long for column '"),
        ("wrong_kind", r"invalid input syntax for type [\w ]{1,40}: "),
        ("not_found", r"ENOENT: no such file or directory, "),
        ("not_found", r"relation \"[^\"\n]{1,200}\" does not exist"),
        ("not_found", r"(?:ER_NO_SUCH_TABLE: )?table '[^'\n]{1,200}' doesn't exist\.?$"),
        ("email", r"invalid e-?mail address(?:$|[:.])"),
        ("email", r"e-?mail address (?:is invalid|is not valid)\.?$"),
        ("email", r"invalid to header\.?$"),
        ("phone", r"invalid 'to' phone number\b"),
        ("phone", r"phone number (?:is invalid|is not valid)\.?$"),
        ("timeout", r"timeout of \d+ ?ms exceeded\.?$"),
        ("timeout", r"network timeout at: https?://"),
        ("timeout", r"the operation was aborted due to timeout\.?$"),
        ("timeout", r"timeout awaiting '\w+' for \d+ms$"),
        ("timeout", r"navigation timeout of \d+ ?ms exceeded"),
        ("timeout", r"(?:connect|headers|body) timeout error\b"),
        ("timeout", r"connection timed out\.?$"),
        ("timeout", r"connection timeout\.?$"),
        ("timeout", r"greeting never received\.?$"),
        ("timeout", r"HTTPS?ConnectionPool\([^\n]{1,300}\): Read timed out\."),
        ("timeout", r"canceling statement due to (?:statement|lock) timeout"),
        ("timeout", r"server selection timed out after \d+ ms"),
        ("timeout", r"context deadline exceeded\b"),
        ("timeout", r"read timed out\.?$"),
        ("timeout", r"\[Errno 110\] connection timed out"),
        ("timeout", r"curl: \(28\) "),
        ("timeout", r"dial tcp [^\n]{1,200}: i/o timeout"),
        ("address", r"\[Errno -2\] name or service not known"),
        ("address", r"HTTPS?ConnectionPool\([^\n]{1,300}\(Caused by NameResolutionError\("),
        ("address", r"curl: \(6\) could not resolve host: "),
        ("address", r"dial tcp: lookup [^\n]{1,200}: no such host"),
        ("unreachable", r"fetch failed$"),
        ("unreachable", r"network error$"),
        ("unreachable", r"\[Errno 111\] connection refused"),
        ("unreachable", r"HTTPS?ConnectionPool\([^\n]{1,300}\(Caused by NewConnectionError\("),
        ("unreachable", r"curl: \(7\) "),
        ("unreachable", r"dial tcp [^\n]{1,200}: connect: connection refused"),
        ("unreachable", r"tunneling socket could not be established"),
        ("unreachable", r"client network socket disconnected before secure TLS connection was established"),
        ("broken", r"socket hang up$"),
        ("broken", r"other side closed$"),
        ("broken", r"premature close$"),
        ("broken", r"connection terminated unexpectedly\.?$"),
        ("broken", r"connection lost: the server closed the connection"),
        ("broken", r"\(?'?connection aborted\."),
        ("tls", r"certificate has expired$"),
        ("tls", r"self[- ]signed certificate(?: in certificate chain)?$"),
        ("tls", r"unable to verify the first certificate$"),
        ("tls", r"unable to get local issuer certificate$"),
        ("tls", r"hostname/IP does not match certificate's altnames"),
        ("tls", r"write EPROTO \S*:?error:[^\n]{0,200}SSL routines"),
        ("tls", r"\[SSL: CERTIFICATE_VERIFY_FAILED\]"),
        ("tls", r"HTTPS?ConnectionPool\([^\n]{1,300}\(Caused by SSLError\("),
        ("tls", r"curl: \(60\) "),
        ("tls", r"(?:tls: failed to verify certificate: )?x509: certificate "),
        ("not_json", r"unexpected end of JSON input$"),
        ("not_json", r"unexpected token .{1,40}in JSON at position \d+"),
        ("not_json", r"unexpected .{1,80} is not valid JSON$"),
        ("code", r"compilation error\b"),
        ("code", r"cannot find module '"),
        # Google, see developers.google.com/workspace/sheets/api/limits, /drive/api/guides/handle-errors,
        # cloud.google.com/apis/design/errors
        (
            "quota",
            r"quota exceeded for quota (?:metric|group) '[^'\n]{1,100}' and limit '[^'\n]{0,80}per (?:day|month)\b",
        ),
        (
            "pause",
            r"quota exceeded for quota (?:metric|group) '[^'\n]{1,100}' and limit '[^'\n]{0,80}per (?:minute|\d+ seconds)\b",
        ),
        ("pause", r"user[- ]rate limit exceeded\b"),
        ("not_found", r"unable to parse range: "),
        ("not_found", r"requested entity was not found\.?$"),
        ("not_found", r"file not found: [\w-]{20,100}\.?$"),
        ("not_found", r"no grid with id: \d+"),
        ("exists", r"(?:invalid requests\[\d+\]\.\w{1,40}: )?a sheet with the name \"[^\n]{1,200}\" already exists"),
        ("choice", r"range \([^)\n]{1,200}\) exceeds grid limits\b"),
        ("permission", r"the caller does not have permission\.?$"),
        ("permission", r"request had insufficient authentication scopes\b"),
        ("permission", r"[\w .-]{1,60} API has not been used in project \S{1,60} before or it is disabled"),
        ("permission", r"you are trying to edit a protected cell or object\b"),
        ("too_large", r"this action would increase the number of cells in the workbook above the limit of \d+ cells"),
        ("rejected", r"invalid value at '[^'\n]{1,200}' \(type\.googleapis\.com/"),
        ("sign_in", r"token has been expired or revoked\.?$"),
        ("sign_in", r"(?:login required|invalid credentials)\.?$"),
        ("unavailable", r"the service is currently unavailable\.?$"),
        ("timeout", r"deadline expired before operation could complete\b"),
        ("server_error", r"internal error encountered\.?$"),
        # Language models, see platform.openai.com/docs/guides/error-codes, docs.anthropic.com/en/api/errors,
        # ai.google.dev/gemini-api/docs/troubleshooting
        ("too_large", r"this model's maximum context length is \d+ tokens"),
        ("too_large", r"prompt is too long(?:$|: \d)"),
        ("too_large", r"input is too long for requested model\b"),
        ("content", r"your request was rejected as a result of our safety system"),
        ("content", r"the response was filtered due to the prompt triggering "),
        ("not_found", r"the model [`'][^`'\n]{1,100}[`'] does not exist\b"),
        ("unavailable", r"(?:that|the) (?:model|engine) is (?:currently )?overloaded\b"),
        ("credit", r"your credit balance is too low to access the (?:Anthropic|Claude) API\b"),
        # Telegram, see core.telegram.org/api/errors, github.com/tdlib/telegram-bot-api (Client.cpp)
        (
            "recipient",
            _TELEGRAM
            + r"(?:bot was blocked by the user|user is deactivated|bot can't initiate conversation with a user)",
        ),
        (
            "permission",
            _TELEGRAM
            + r"(?:bot was kicked from the |bot is not a member of the |(?:not enough|have no) rights to |need administrator rights )",
        ),
        ("not_found", _TELEGRAM + r"(?:chat|user|message|message to \w+) not found$"),
        ("too_large", _TELEGRAM + r"(?:message(?: caption)? is too long|file is too big)$"),
        ("missing", _TELEGRAM + r"message text is empty$"),
        ("conflict", _TELEGRAM + r"message is not modified\b"),
        ("pause", _TELEGRAM + r"retry after \d+$"),
        # Other services: Discord, Slack, Notion, Stripe, Shopify, SendGrid, Twilio, Microsoft; their pages are named in rules.py
        ("pause", r"you are being rate limited\.?$"),
        ("pause", r"a rate limit was exceeded \(url: "),
        ("pause", r"you have reached your (?:ten_secondly|secondly)\w* limit\b"),
        ("pause", r"application is over its \w{1,40} limit\b"),
        ("not_found", r"could not find (?:database|page|block|user|property) with ID: "),
        ("rejected", r"(?:body|query|path) failed validation[.:]"),
        ("sign_in", r"the OAuth token used to make this call expired \d+ "),
        ("sign_in", r"incorrect API ?key or secret ?key\b"),
        ("sign_in", r"API token is invalid\.?$"),
        ("sign_in", r"(?:invalid|expired) API key provided: "),
        ("sign_in", r"session expired or invalid\.?$"),
        ("sign_in", r"token is not valid!$"),
        ("credit", r"you have insufficient available funds in your stripe account\b"),
        ("declined", r"your card(?: was declined| has insufficient funds|'s security code is incorrect)\."),
        ("permission", r"\[API\] this action requires merchant approval for \S{1,60} scope"),
        ("permission", r"the from address does not match a verified sender identity\b"),
        ("phone", r"the 'to' number \S[^\n]{0,40} is not a valid phone number"),
        ("recipient", r"attempt to send to unsubscribed recipient\b"),
        # Mail: RFC 4954 (535), support.google.com/a/answer/3726730 (Gmail), learn.microsoft.com/exchange (5.7.139)
        ("sign_in", r"invalid login: 5\d\d\b"),
        ("quota", r"(?:Message failed: )?550[ -]5\.4\.5 daily (?:user )?sending (?:limit|quota) exceeded"),
        ("pause", r"450[ -]4\.2\.1 the user you are trying to contact is receiving mail at a rate\b"),
        ("content", r"(?:Message failed: )?550[ -]5\.7\.1 [^\n]{0,100}likely (?:unsolicited|suspicious)"),
        # PostgreSQL, see postgresql.org/docs/current/errcodes-appendix.html
        (
            "reference",
            r"(?:insert or update|update or delete) on table \"[^\"\n]{1,200}\" violates foreign key constraint\b",
        ),
        ("choice", r"new row for relation \"[^\"\n]{1,200}\" violates check constraint\b"),
        ("choice", r"invalid input value for enum \S{1,100}: "),
        ("choice", r"(?:integer|bigint|smallint) out of range$"),
        ("choice", r"numeric field overflow$"),
        ("choice", r"value \"[^\"\n]{1,200}\" is out of range for type "),
        ("wrong_kind", r"date/time field value out of range: "),
        ("busy", r"deadlock detected$"),
        ("busy", r"could not (?:serialize access due to|obtain lock on) "),
        ("not_found", r"(?:database|column) \"?[^\"\s]{1,200}\"? does not exist$"),
        ("sign_in", r"role \"[^\"\n]{1,200}\" does not exist$"),
        ("permission", r"no pg_hba\.conf entry for host "),
        (
            "unavailable",
            r"(?:sorry, too many clients already|too many connections|remaining connection slots are reserved\b[^\n]{0,100})$",
        ),
        # MySQL, see dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
        (
            "reference",
            r"(?:ER_\w{1,40}: )?cannot (?:add or update a child row|delete or update a parent row): a foreign key constraint fails\b",
        ),
        ("choice", r"(?:ER_WARN_DATA_OUT_OF_RANGE: )?out of range value for column '"),
        ("choice", r"check constraint '[^'\n]{1,100}' is violated"),
        ("wrong_kind", r"(?:ER_\w{1,40}: )?incorrect (?:integer|decimal|double|datetime|date|time) value: "),
        ("busy", r"(?:ER_LOCK_DEADLOCK: )?deadlock found when trying to get lock; "),
        ("busy", r"(?:ER_LOCK_WAIT_TIMEOUT: )?lock wait timeout exceeded; "),
        ("missing", r"(?:ER_NO_DEFAULT_FOR_FIELD: )?field '[^'\n]{1,100}' doesn't have a default value$"),
        ("not_found", r"(?:ER_BAD_DB_ERROR: )?unknown database '"),
        ("not_found", r"(?:ER_BAD_FIELD_ERROR: )?unknown column '"),
        ("permission", r"host '[^'\n]{1,100}' is not allowed to connect to this (?:MySQL|MariaDB) server"),
        # SQLite, see sqlite.org/rescode.html; SQL Server, see learn.microsoft.com/sql/relational-databases/errors-events; Oracle, see
        # docs.oracle.com/error-help/db
        ("reference", r"(?:SQLITE_CONSTRAINT(?:_FOREIGNKEY)?: )?FOREIGN KEY constraint failed"),
        ("busy", r"(?:SQLITE_BUSY: )?database (?:table )?is locked$"),
        ("reference", r"the (?:INSERT|UPDATE|DELETE|MERGE) statement conflicted with the (?:FOREIGN KEY|REFERENCE)\b"),
        ("choice", r"the (?:INSERT|UPDATE|MERGE) statement conflicted with the CHECK constraint\b"),
        ("busy", r"transaction \(process ID \d+\) was deadlocked on "),
        ("wrong_kind", r"(?:conversion failed when converting |error converting data type )"),
        ("too_large", r"string or binary data would be truncated\b"),
        ("missing", r"cannot insert the value NULL into column '"),
        ("not_found", r"invalid (?:object|column) name '"),
        ("reference", r"ORA-0229[12]: "),
        ("choice", r"ORA-02290: "),
        ("missing", r"ORA-01400: "),
        ("too_large", r"ORA-12899: "),
        ("busy", r"ORA-000(?:54|60): "),
        ("wrong_kind", r"ORA-01722: "),
        ("not_found", r"ORA-00942: "),
        ("unreachable", r"ORA-12541: "),
        # MongoDB, see mongodb.com/docs/manual/reference/error-codes and mongoosejs.com; Redis, see redis.io/docs (protocol-spec)
        ("wrong_kind", r"input must be a 24 character hex string\b"),
        ("wrong_kind", r"cast to (?:ObjectId|Number|Date|Boolean) failed for value "),
        ("permission", r"not authorized on \S{1,100} to execute command"),
        ("wrong_kind", r"WRONGTYPE Operation against a key"),
        ("wrong_kind", r"ERR value is not (?:an integer|a valid float)\b"),
        (
            "unavailable",
            r"(?:OOM command not allowed when used memory|LOADING Redis is loading|CLUSTERDOWN |ERR max number of clients reached)",
        ),
        ("permission", r"NOPERM "),
        # axios (github.com/axios/axios, lib/adapters/http.js), isolated-vm, V8's JSON.parse (v8.dev, message-template.h)
        ("missing", r"missing (?:value of )?required (?:parameter|field|argument|property)\b"),
        ("rejected", r"document failed validation\b"),
        ("timeout", r"timeout exceeded$"),
        ("too_large", r"request body larger than maxBodyLength limit"),
        ("memory", r"isolate was disposed during execution due to memory limit"),
        ("timeout", r"script execution timed out\b"),
        (
            "not_json",
            (
                r"(?:expected [^\n]{1,60}|bad control character in string literal|bad escaped character|unterminated string|no"
                r" number after minus sign|unexpected non-whitespace character after JSON|exponent part is missing a number)"
                r" (?:in JSON )?at position \d+"
            ),
        ),
        ("missing", r"cannot destructure property '[^'\n]{1,100}' of '[^\n]{1,100}' as it is (?:undefined|null)\b"),
        # Answers that are only the reason phrase of a status (RFC 9110), or words of the same meaning
        ("sign_in", r"(?:unauthenticated|not authenticated)" + _PLEASE),
        (
            "sign_in",
            r"invalid (?:username or password|login credentials|API[ -]?key|access token|auth(?:entication|orization)? token)"
            + _PLEASE,
        ),
        (
            "sign_in",
            r"(?:access|refresh|bearer|session|auth(?:entication|orization)?|API) (?:token|key) (?:is |has |was )?(?:invalid"
            r"|not valid|expired|revoked)" + _PLEASE,
        ),
        ("sign_in", r"your session has expired[.,] please (?:log|sign) ?in\b"),
        (
            "unreachable",
            r"(?:cannot|could not|unable to|failed to) connect to (?:the )?(?:server|database|host|API)" + _PLEASE,
        ),
        ("permission", r"(?:permission denied|insufficient permissions?)" + _PLEASE),
        ("pause", r"(?:too many requests|rate limit exceeded)" + _PLEASE),
        ("too_large", r"(?:message|file|image|request|payload|attachment) (?:is )?too large" + _PLEASE),
        ("unreachable", r"network error" + _PLEASE),
        ("unavailable", r"(?:service (?:temporarily )?unavailable|bad gateway)" + _PLEASE),
        ("server_error", r"internal server error" + _PLEASE),
        ("timeout", r"(?:gateway time-?out|request timed? ?out)" + _PLEASE),
        # Vietnamese: wordings of GHN, GHTK, KiotViet, MoMo, MISA, Viettel, eSMS (their tables of errors are named in rules.py) and of
        # applications that follow them
        ("sign_in", r"phiên (?:đăng nhập|làm việc)(?: của bạn)? (?:đã |không hợp lệ hoặc (?:đã )?)?hết hạn" + _END),
        ("sign_in", r"(?:access |refresh )?token (?:không hợp lệ|(?:đã )?hết hạn)(?: hoặc (?:đã )?hết hạn)?" + _END),
        ("sign_in", rf"(?:sai|không đúng) {_LOGIN}" + _END),
        ("sign_in", rf"(?:{_LOGIN}|thông tin đăng nhập) (?:không (?:đúng|chính xác|hợp lệ)|sai)" + _END),
        ("sign_in", r"(?:API ?key|khóa API|mã API) (?:không hợp lệ|không đúng|(?:đã )?hết hạn)" + _END),
        ("sign_in", r"sai (?:thông tin )?(?:API ?key|secret ?key|mã API)\b"),
        ("sign_in", r"lỗi xác thực[.,] vui lòng đăng nhập lại\b"),
        ("sign_in", r"đăng nhập thất bại" + _END),
        ("sign_in", r"bạn (?:không|chưa) được xác thực\b"),
        ("sign_in", r"token không được cung cấp" + _END),
        (
            "sign_in",
            r"(?:bạn (?:chưa|cần)(?: phải)? đăng nhập|chưa đăng nhập|(?:vui lòng|xin|hãy) (?:đăng xuất và )?đăng nhập(?:"
            r" lại)?)(?: để (?:tiếp tục|sử dụng)[^\n]{0,40})?" + _END,
        ),
        (
            "permission",
            (
                r"(?:bạn |tài khoản |người dùng )?(?:không (?:có|đủ) quyền|chưa được (?:phân|cấp) quyền|không được phép)(?: để)?"
                r" (?:thực hiện|thực thi|truy cập|thao tác|xem|sửa|xóa|tạo|sử dụng (?:chức năng|tính năng|API|dịch vụ|hệ thống))\b"
            ),
        ),
        ("permission", r"(?:bạn|lỗi) không (?:có|đủ) quyền(?: ?[.!]?$| (?:truy cập|cho|với|đối với)\b)"),
        ("permission", r"(?:quyền )?truy cập bị từ chối" + _END),
        ("permission", r"(?:địa chỉ )?IP(?: này)? không (?:được phép|có quyền) truy cập" + _END),
        (
            "not_found",
            (
                rf"không (?:tìm thấy|tồn tại) (?:thông tin )?{_THING}(?: nào)?{_WHICH}(?: (?:có |với )?(?:mã|số"
                rf"|ID)\b[^\n,]{{0,60}}|:? [\w-]{{0,30}}\d[\w-]{{0,30}})?(?:[.!]?$|[,.] (?:vui lòng|xin|hãy) (?:kiểm tra|thử)\b)"
            ),
        ),
        (
            "not_found",
            (
                r"không tìm thấy (?![^\n]*(?:lỗi|trùng|đáng ngờ|bất thường|vi phạm|sai sót|chênh lệch|mã độc|cảnh báo))"
                r"[^\n,.;:\"'?]{1,40} (?:trên|trong) hệ thống[.!]?$"
            ),
        ),
        (
            "not_found",
            rf"không tìm thấy (?:{_THING}|voucher|phiếu \w{{1,12}}) (?:để|cần) (?:cập nhật|xóa|xoá|sửa|hủy|huỷ)[.!]?$",
        ),
        ("not_found", r"(?:url|trang|đường dẫn|tài nguyên) không tìm thấy" + _END),
        ("not_found", _ANY + r" không tồn tại(?: (?:trên|trong) hệ thống)?" + _END),
        ("exists", _ANY + r" đã tồn tại(?: (?:trên|trong) hệ thống(?: và [^\n,.;]{1,80})?)?" + _END),
        (
            "exists",
            rf"(?:(?:mã|số|tên) )?{_THING}(?: [\w./-]{{1,40}})? (?:bị|đã bị|đã) trùng(?: (?:trên|trong) hệ thống)?"
            + _END,
        ),
        ("exists", r"(?:email|số điện thoại|tên đăng nhập|mã số thuế)(?: này)? đã được sử dụng" + _END),
        ("exists", r"(?:order ?id|request ?id)(?: này)? bị trùng" + _END),
        (
            "exists",
            r"trùng (?:request ?id|order ?id|mã (?:đơn hàng|vận đơn|giao dịch|yêu cầu|hóa đơn))(?: khi [^\n,.;]{1,40})?"
            + _END,
        ),
        ("pause", r"(?:bạn (?:đã )?gửi )?quá nhiều (?:yêu cầu|requests?)(?: trong thời gian ngắn)?" + _END),
        ("pause", r"bạn (?:đang )?thao tác quá nhanh" + _END),
        ("pause", r"vượt quá (?:số lượng|giới hạn|tần suất) (?:yêu cầu|request)(?: cho phép)?" + _END),
        ("missing", r"(?:dòng \d{1,7}: )?thiếu (?:cột|trường|tham số|thông tin bắt buộc|dữ liệu bắt buộc|giá trị)\b"),
        (
            "missing",
            (
                r"(?:bạn )?(?:thiếu|chưa nhập) (?:mã|tên|địa chỉ|email|số điện thoại|mật khẩu|(?:access |refresh |API )?token|API"
                r" ?key|(?:\w{1,20} )?ID)\b[^\n\d.;:]{0,80}[.!]?$"
            ),
        ),
        ("missing", r"(?!phòng|chỗ|ghế|kho|xe|vị trí|ca\b)[^\n,.;:\"'?]{1,40} bị (?:trống|bỏ trống)[.!]?$"),
        ("missing", r"(?:tệp|tập tin|file|trường|tham số|dữ liệu|thông tin)(?: [^\n\d,.;:]{1,40})? bị thiếu[.!]?$"),
        (
            "missing",
            r"vui lòng nhập (?!lại\b|đúng\b)(?![^\n]{0,60}(?:hợp lệ|đúng|lớn hơn|nhỏ hơn|ít nhất|tối đa|tối thiểu))[^\n,.;:]{1,60}\.?$",
        ),
        (
            "missing",
            (
                r"(?:[^\n,.;:\"']{1,60} không được (?:để trống|bỏ trống|rỗng)|(?:trường|tham số|thông tin|cột) [^\n,.;:\"']{1,60}"
                r" là bắt buộc)[.!]?$"
            ),
        ),
        ("email", r"(?:địa chỉ )?e-?mail(?: [^\W\d]{1,12}){0,3} không (?:hợp lệ|đúng định dạng)" + _END),
        ("phone", r"(?:số điện thoại|SĐT)(?: [^\W\d]{1,12}){0,3} không (?:hợp lệ|đúng định dạng)" + _END),
        (
            "wrong_kind",
            r"(?:ngày|giờ|thời gian|số lượng|số tiền|đơn giá|giá)(?: [\w ]{1,30})? (?:không đúng|sai) định dạng(?: \([^)\n]{1,30}\))?"
            + _END,
        ),
        (
            "wrong_kind",
            r"[^\n,.;:\"']{1,60} phải là (?:một )?(?:kiểu )?(?:số|số nguyên|ngày|chữ số|ngày tháng)(?: dương)?[.!]?$",
        ),
        ("choice", _ANY + r" phải (?:nằm )?trong khoảng (?:từ )?\d"),
        (
            "unavailable",
            r"(?:hệ thống|máy chủ|dịch vụ)(?: hiện| hiện tại)? (?:đang|tạm thời) (?:được )?(?:bảo trì|nâng cấp|quá tải|gián đoạn)\b",
        ),
        (
            "unreachable",
            r"không thể kết nối (?:đến|tới|với|được với) (?:máy chủ|server|hệ thống|dịch vụ|cơ sở dữ liệu)\b",
        ),
        (
            "server_error",
            r"(?:đã (?:có|xảy ra) )?lỗi (?:hệ thống(?: nội bộ)?|máy chủ(?: nội bộ)?|nội bộ (?:hệ thống|máy chủ))(?: (?:xin"
            r"|vui lòng) [^\n]{1,80}$|" + _END + ")",
        ),
        ("server_error", r"(?:server|máy chủ|hệ thống) (?:đang |đã )?gặp (?:lỗi|sự cố)" + _END),
        ("too_large", r"(?:dung lượng|kích thước) (?:tệp|tập tin|file|ảnh|hình ảnh)(?: tải lên)? (?:vượt quá|quá lớn)"),
        (
            "credit",
            r"(?:(?:số dư )?tài khoản (?:không đủ(?: số dư)?|không còn đủ tiền)|không đủ số dư) để gửi (?:tin|SMS|ZNS|email|thư)\b",
        ),
        (
            "declined",
            r"giao dịch (?:thất bại|không thành công) do (?:tài khoản (?:của )?(?:người dùng|quý khách|khách hàng) )?không đủ số dư\b",
        ),
        (
            "timeout",
            r"(?:(?:kết nối|yêu cầu) )?(?:đã )?(?:quá|hết) thời gian (?:chờ|kết nối|yêu cầu)(?: phản hồi)?(?: từ (?:máy chủ"
            r"|hệ thống|dịch vụ))?" + _END,
        ),
    )
)
#: Phrases with this meaning only after an error name with the given ending.
NAMED: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("TypeError", "code_value", re.compile(r"[^\n]{1,200}? is not (?:a function|a constructor|iterable)(?:$| \()")),
    ("TypeError", "code_value", re.compile(r"Converting circular structure to JSON")),
    ("TypeError", "code", re.compile(r"Assignment to constant variable\.$")),
    ("TypeError", "wrong_kind", re.compile(r"Cannot (?:mix BigInt and other types|convert \S{1,100} to a BigInt)")),
    ("SyntaxError", "wrong_kind", re.compile(r"Cannot convert \S{1,100} to a BigInt$")),
    (
        "RangeError",
        "code_value",
        re.compile(r"(?:Invalid time value|Invalid array length|Maximum call stack size exceeded)$"),
    ),
    ("TypeError", "code_value", re.compile(r"object null is not iterable\b")),
    ("ConnectException", "unreachable", re.compile(r"Connection refused")),
    ("UnknownHostException", "address", re.compile(r"\S{1,200}$")),
    ("APIConnectionError", "unreachable", re.compile(r"Connection error\.$")),
    ("TimeoutError", "timeout", re.compile(r"Request timed out\.?$", re.IGNORECASE)),
    ("ReferenceError", "code", re.compile(r"\S{1,200} is not defined$")),
)
#: Any of PHRASES: one search is quicker than all of them, and most messages match none.
ANY_PHRASE = re.compile("|".join(f"(?:{pattern.pattern})" for _kind, pattern in PHRASES), re.IGNORECASE)
