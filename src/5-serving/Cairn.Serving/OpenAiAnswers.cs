using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.State;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Cairn.Serving;

/// <summary>Answers of OpenAI's paths that are about rows and not about models: its errors, and its lists.</summary>
internal static class OpenAiAnswers
{
    /// <summary>Lets in who has a key, and tells every refusal and every outage of rows and blobs in OpenAI's words.</summary>
    /// <param name="handle">Answers, or says why not.</param>
    public static RequestDelegate Guarded(InferenceGateway gateway, Func<HttpContext, GatewayKey, Task<CallError?>> handle) => async context =>
    {
        CallError? error;
        try
        {
            error = Admission.Authenticate(context.Request, gateway.State, gateway.Now) is { } caller ? await handle(context, caller.Key) : Admission.Unknown(gateway.State);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
            return;
        }
        catch (Exception away) when (away is StoreException or BlobException)
        {
            error = CallError.Away;
        }
        if (error is not null)
            await ErrorAnswers.WriteAsync(context, error, ApiDialect.OpenAi, context.RequestAborted);
    };

    public static async Task<CallError?> SendAsync(HttpContext context, object value)
    {
        await context.Response.WriteAsJsonAsync(value, context.RequestAborted);
        return null;
    }

    /// <summary>A page of a listing.</summary>
    /// <param name="found">At most one more than asked for.</param>
    public static Task<CallError?> SendListAsync<T>(HttpContext context, IReadOnlyList<T> found, int limit, Func<T, string> id, Func<T, object> view)
    {
        var page = found.Take(limit).ToList();
        return SendAsync(context, new
        {
            @object = "list", data = page.Select(view), first_id = page.Count > 0 ? id(page[0]) : null, last_id = page.Count > 0 ? id(page[^1]) : null,
            has_more = found.Count > limit,
        });
    }

    /// <summary>The query's limit.</summary>
    public static (int Limit, CallError? Error) LimitOf(HttpContext context, int most, int usual)
    {
        if (context.Request.Query["limit"] is not [{ } asked])
            return (usual, null);
        return int.TryParse(asked, out var limit) && limit >= 1 && limit <= most ? (limit, null)
            : (0, CallError.Invalid($"Invalid 'limit': expected an integer from 1 to {most}, got '{Short(asked)}'.", "limit"));
    }

    /// <summary>A client's text as a message may repeat it.</summary>
    public static string Short(string? text) => text is { Length: > 64 } ? text[..64] + "…" : text ?? "";

    /// <summary>A download that a browser neither shows nor runs.</summary>
    public static void MarkDownload(HttpContext context, string name)
    {
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName(name);
        context.Response.Headers.ContentDisposition = disposition.ToString();
        context.Response.Headers.XContentTypeOptions = "nosniff";
    }
}
