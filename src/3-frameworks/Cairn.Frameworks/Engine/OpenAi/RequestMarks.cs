using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary>Gives every request its id and the time it took, and every failure OpenAI's form.</summary>
internal sealed partial class RequestMarks(RequestDelegate next, TimeProvider time, ILogger<RequestMarks> logger)
{
    private const int LongestId = 128;

    public async Task InvokeAsync(HttpContext context)
    {
        var began = time.GetTimestamp();
        context.TraceIdentifier = Id(context);
        context.Response.OnStarting(() =>
        {
            context.Response.Headers["x-request-id"] = context.TraceIdentifier;
            context.Response.Headers["openai-processing-ms"] =
                ((long)time.GetElapsedTime(began).TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
            return Task.CompletedTask;
        });
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed,
                ContentType: null })
                await NoRoute(context).WriteAsync(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client left; nobody reads an answer.
        }
        catch (RequestRefusedException exception) when (!context.Response.HasStarted)
        {
            await Refused(exception).WriteAsync(context);
        }
        catch (ObjectDisposedException) when (!context.Response.HasStarted)
        {
            await OpenAiError.Unavailable("The model was unloaded while the request came in.", "model_unloaded").WriteAsync(context);
        }
        catch (EngineException exception) when (!context.Response.HasStarted)
        {
            LogFailed(logger, context.TraceIdentifier, exception);
            await OpenAiError.Failed(exception.Message).WriteAsync(context);
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            LogFailed(logger, context.TraceIdentifier, exception);
            var why = $"The request failed in a way that is not expected; the engine's log has it under {context.TraceIdentifier}.";
            await OpenAiError.Failed(why).WriteAsync(context);
        }
    }

    // A caller's own id is kept where it can stand in a header and a log.
    private string Id(HttpContext context)
    {
        var given = context.Request.Headers["x-request-id"].ToString();
        return given.Length is > 0 and <= LongestId && given.All(character => character is > ' ' and < '\x7f')
            ? given
            : "req_" + Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
    }

    private static OpenAiError Refused(RequestRefusedException exception) => exception.Reason switch
    {
        RequestRefusal.QueueFull => OpenAiError.Unavailable(exception.Message, "engine_overloaded"),
        RequestRefusal.PromptTooLong => OpenAiError.Invalid("prompt", exception.Message, "context_length_exceeded"),
        RequestRefusal.UnsayableGrammar => OpenAiError.Invalid(null, exception.Message, "invalid_schema"),
        RequestRefusal.InvalidSampling => OpenAiError.Invalid(null, exception.Message),
        _ => OpenAiError.Invalid("prompt", exception.Message),
    };

    private static OpenAiError NoRoute(HttpContext context) => new(
        context.Response.StatusCode,
        $"There is no {context.Request.Method} {context.Request.Path}. docs/engine.md lists what the engine answers.", null, "unknown_url");

    [LoggerMessage(LogLevel.Error, "Request {Request} failed")]
    private static partial void LogFailed(ILogger logger, string request, Exception exception);
}
