using Cairn.Contracts.Problems;
using Cairn.State;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cairn.Server.Problems;

/// <summary>The last net: a request that throws gets a problem document and leaves a log line with the same trace id.</summary>
internal sealed partial class UnexpectedErrors(RequestDelegate next, ILogger<UnexpectedErrors> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            await ExplainAsync(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client left; nobody reads an answer.
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            var code = exception.StatusCode == StatusCodes.Status413PayloadTooLarge ? ProblemCodes.TooLarge : ProblemCodes.InvalidRequest;
            var detail = exception.InnerException is System.Text.Json.JsonException json ? $"The body is not what is expected: {json.Message}" : exception.Message;
            await ProblemResponses.WriteAsync(context, exception.StatusCode, new Problem(code, detail));
        }
        catch (StoreException exception) when (!context.Response.HasStarted)
        {
            StoreFailed(context.TraceIdentifier, exception);
            await ProblemResponses.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, new Problem(ProblemCodes.Unavailable, exception.Message));
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            RequestFailed(context.Request.Method, context.Request.Path, context.TraceIdentifier, exception);
            await ProblemResponses.WriteAsync(context, StatusCodes.Status500InternalServerError, new Problem(
                ProblemCodes.Internal, $"Something went wrong in the server; its log says what, under trace {context.TraceIdentifier}."));
        }
    }

    /// <summary>The framework refuses some requests with a status alone, such as a body that is too long or a path that nobody serves.</summary>
    private static Task ExplainAsync(HttpContext context)
    {
        var response = context.Response;
        if (response.HasStarted || response.StatusCode < 400 || response.ContentType is not null || response.ContentLength is > 0 || !context.Request.Path.StartsWithSegments("/api"))
            return Task.CompletedTask;
        var request = $"{context.Request.Method} {context.Request.Path}";
        var (code, detail) = response.StatusCode switch
        {
            StatusCodes.Status404NotFound => (ProblemCodes.NotFound, $"There is no {request}; /openapi/v1.json lists what there is."),
            StatusCodes.Status405MethodNotAllowed => (ProblemCodes.InvalidRequest, $"{request} is not served by this method; /openapi/v1.json lists what there is."),
            StatusCodes.Status413PayloadTooLarge => (ProblemCodes.TooLarge, $"The body of {request} is longer than this server takes."),
            StatusCodes.Status415UnsupportedMediaType => (ProblemCodes.InvalidRequest, $"{request} expects a body of the type application/json."),
            _ => (ProblemCodes.InvalidRequest, $"The request {request} cannot be read."),
        };
        return ProblemResponses.WriteAsync(context, response.StatusCode, new Problem(code, detail));
    }

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed (trace {TraceId})")]
    private partial void RequestFailed(string method, string path, string traceId, Exception exception);

    [LoggerMessage(LogLevel.Error, "The store refused a request (trace {TraceId})")]
    private partial void StoreFailed(string traceId, Exception exception);
}
