#!/bin/sh
# Claude Code reads ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.
exec claude -p "Hello, Claude"
