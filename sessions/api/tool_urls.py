"""The addresses of tools, tool calls and files."""

from sessions.api import (
    analyses,
    artifacts,
    chunked_uploads,
    file_links,
    generating,
    sandboxes,
    tool_calls,
    tool_servers,
)
from streaming.api.paths import route

ONE = "sessions/<str:session>"
UPLOAD = f"{ONE}/uploads/<str:upload>"
FILE = f"{ONE}/artifacts/<str:artifact>"

urlpatterns = [
    route("tools", tool_calls.Tools, name="tools"),
    route("tools/<str:tool>", tool_calls.OneTool, name="tool"),
    route("tool-servers", tool_servers.ToolServers, name="tool-servers"),
    route("tool-servers/<str:tool_server>", tool_servers.OneToolServer, name="tool-server"),
    route("tool-calls/<str:tool_call>", tool_calls.OneToolCall, name="tool-call"),
    route("tool-calls/<str:tool_call>/resolve", tool_calls.Resolve, name="tool-call-resolve"),
    route(f"{ONE}/tool-calls", tool_calls.SessionToolCalls, name="session-tool-calls"),
    route(
        f"{ONE}/tool-calls/<str:tool_call>", tool_calls.SessionToolCall, name="session-tool-call"
    ),
    route(f"{ONE}/uploads", chunked_uploads.Uploads, name="session-uploads"),
    route(UPLOAD, chunked_uploads.OneUpload, name="session-upload"),
    route(f"{UPLOAD}/finish", chunked_uploads.FinishUpload, name="upload-finish"),
    route(f"{ONE}/artifacts", artifacts.Artifacts, name="session-artifacts"),
    route(f"{ONE}/artifacts/generate", generating.Generate, name="artifact-generate"),
    route(FILE, artifacts.OneArtifact, name="session-artifact"),
    route(f"{FILE}/content", artifacts.Content, name="artifact-content"),
    route(f"{FILE}/analysis", analyses.ArtifactAnalysis, name="artifact-analysis"),
    route(f"{FILE}/link", file_links.ArtifactLink, name="artifact-link"),
    route(f"{ONE}/sandbox", sandboxes.Sandbox, name="session-sandbox"),
    route(f"{ONE}/sandbox/content", sandboxes.SandboxContent, name="sandbox-content"),
    route("files/<str:link>", file_links.LinkedFile, name="linked-file"),
    route(f"{FILE}/versions", artifacts.Versions, name="artifact-versions"),
]
