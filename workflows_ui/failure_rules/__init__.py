"""What happens when a flow fails: a post to a channel, the run of another flow, or the flow is turned off."""
