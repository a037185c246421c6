using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary>A refusal as OpenAI's clients read it: <c>{"error":{"message","type","param","code"}}</c>.</summary>
/// <param name="Status">The HTTP status; clients choose their exception by it.</param>
/// <param name="Param">The field that is wrong, such as <c>messages[2].content</c>.</param>
/// <param name="Code">A word for programs.</param>
internal sealed record OpenAiError(int Status, string Message, string? Param = null, string? Code = null)
{
    /// <summary>When it makes sense to ask again; sent as <c>retry-after</c>.</summary>
    public int? RetryAfterSeconds { get; init; }

    public static OpenAiError Invalid(string? param, string message, string? code = null) =>
        new(StatusCodes.Status400BadRequest, message, param, code);

    public static OpenAiError UnknownModel(string name) =>
        new(StatusCodes.Status404NotFound, $"The model '{name}' does not exist here; GET /v1/models lists those that do.", "model",
            "model_not_found");

    public static OpenAiError Failed(string message) => new(StatusCodes.Status500InternalServerError, message, null, "engine_failed");

    public static OpenAiError Unavailable(string message, string code) =>
        new(StatusCodes.Status503ServiceUnavailable, message, null, code) { RetryAfterSeconds = 1 };

    public static OpenAiError TooLong(string param, int tokens, int context) => Invalid(
        param,
        $"This model's context is {context} tokens, and {param} has {tokens}; at least one token must be left for the output. Shorten {param}.",
        "context_length_exceeded");

    public async Task WriteAsync(HttpContext context)
    {
        context.Response.StatusCode = Status;
        context.Response.ContentType = "application/json";
        if (RetryAfterSeconds is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter, WireJson.Options))
            WriteTo(json);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("message"u8, Message);
        json.WriteString("type"u8, Kind);
        WireJson.WriteText(json, "param"u8, Param);
        WireJson.WriteText(json, "code"u8, Code);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private string Kind => Status switch
    {
        StatusCodes.Status429TooManyRequests => "rate_limit_error",
        < 500 => "invalid_request_error",
        _ => "server_error",
    };
}
