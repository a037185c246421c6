using System.Globalization;
using System.Text.Json;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>Tells an error in the client's dialect.</summary>
internal static class ErrorAnswers
{
    public static async Task WriteAsync(HttpContext context, CallError error, ApiDialect dialect, CancellationToken cancellationToken)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            context.Abort();
            return;
        }
        response.StatusCode = error.Status;
        response.ContentType = "application/json";
        if (error.RetryAfter is { } wait)
        {
            var milliseconds = (long)Math.Ceiling(Math.Max(0, wait.TotalMilliseconds));
            response.Headers.RetryAfter = ((milliseconds + 999) / 1000).ToString(CultureInfo.InvariantCulture);
            response.Headers["retry-after-ms"] = milliseconds.ToString(CultureInfo.InvariantCulture);
        }
        if (error.ShouldRetry is { } should)
            response.Headers["x-should-retry"] = should ? "true" : "false";
        await response.Body.WriteAsync(Json(error, dialect), cancellationToken);
    }

    /// <summary>The error as a last event of a stream.</summary>
    public static byte[] Event(CallError error, ApiDialect dialect)
    {
        var json = Json(error, dialect);
        ReadOnlySpan<byte> head = dialect == ApiDialect.Anthropic ? "event: error\ndata: "u8 : "data: "u8;
        return [.. head, .. json, .. "\n\n"u8];
    }

    public static byte[] Json(CallError error, ApiDialect dialect) => dialect == ApiDialect.Anthropic
        ? JsonSerializer.SerializeToUtf8Bytes(new { type = "error", error = new { type = AnthropicType(error.Status), message = error.Message } })
        : JsonSerializer.SerializeToUtf8Bytes(new { error = new { message = error.Message, type = error.Type, param = error.Param, code = error.Code } });

    /// <summary>As Anthropic's page on errors pairs them with statuses.</summary>
    private static string AnthropicType(int status) => status switch
    {
        400 or 422 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 or 529 => "overloaded_error",
        _ => "api_error",
    };
}
