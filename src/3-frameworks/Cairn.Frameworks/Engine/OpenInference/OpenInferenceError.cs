using System.Text.Json;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi;
using Cairn.Frameworks.Engine.Tensors;
using Microsoft.AspNetCore.Http;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>A refusal over REST: a status and <c>{"error": MESSAGE}</c>.</summary>
internal static class OpenInferenceError
{
    /// <summary>Runs a handler, and turns what it refuses into an answer.</summary>
    public static async Task GuardAsync(HttpContext context, Func<HttpContext, Task> handle)
    {
        try
        {
            await handle(context);
        }
        catch (RefusedException refused)
        {
            await WriteAsync(context, refused.Refusal);
        }
        catch (ModelLoadException failure)
        {
            await WriteAsync(context, new(RefusalKind.Invalid, failure.Message));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to answer.
        }
    }

    /// <summary>The same, for what is refused once the engine stops.</summary>
    public static Task GuardAsync(HttpContext context, EngineReadiness readiness, Func<HttpContext, Task> handle) => GuardAsync(context, guarded =>
    {
        readiness.RequireNotDraining();
        return handle(guarded);
    });

    public static async Task WriteAsync(HttpContext context, Refusal refusal)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.Clear();
        context.Response.StatusCode = Status(refusal.Kind);
        if (refusal.Kind is RefusalKind.QueueFull or RefusalKind.Unavailable)
            context.Response.Headers.RetryAfter = "1";
        await WriteJsonAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteString("error"u8, refusal.Message);
            json.WriteEndObject();
        });
    }

    public static async Task WriteJsonAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = "application/json";
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter, WireJson.Options))
            write(json);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static int Status(RefusalKind kind) => kind switch
    {
        RefusalKind.Invalid => StatusCodes.Status400BadRequest,
        RefusalKind.NotFound => StatusCodes.Status404NotFound,
        RefusalKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
        RefusalKind.QueueFull => StatusCodes.Status429TooManyRequests,
        RefusalKind.TimedOut => StatusCodes.Status504GatewayTimeout,
        RefusalKind.TooLarge => StatusCodes.Status413PayloadTooLarge,
        RefusalKind.Unsupported => StatusCodes.Status415UnsupportedMediaType,
        _ => StatusCodes.Status500InternalServerError,
    };
}
