using System.Text.Json.Nodes;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Gateway.Dialects;

/// <summary>Reads what a target refuses a request with, in OpenAI's words, Anthropic's or those of engines.</summary>
internal static class ForeignErrors
{
    private const int MostMessage = 2000;

    public static CallError Read(int status, ReadOnlySpan<byte> body)
    {
        var type = status >= 500 ? "server_error" : "invalid_request_error";
        try
        {
            var json = Fields.Parse(body);
            // OpenAI and Anthropic: {"error":{"message":…}}; Triton: {"error":"…"}; older vLLM: {"message":…}.
            var error = json["error"] as JsonObject ?? json;
            var message = Fields.TextOrNull(error["message"]) ?? Fields.TextOrNull(json["error"]);
            return new CallError(status, type, Fields.TextOrNull(error["code"]), Short(message), Fields.TextOrNull(error["param"]));
        }
        catch (FieldFault)
        {
            return new CallError(status, type, null, Short(null)); // Not JSON: what it says is for nobody's eyes.
        }

        string Short(string? message) => message is null ? $"The target refused the request with status {status} and said nothing that can be read."
            : message.Length > MostMessage ? message[..MostMessage] : message;
    }
}
