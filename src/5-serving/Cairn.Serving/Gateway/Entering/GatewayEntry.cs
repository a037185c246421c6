using Cairn.Contracts.Workloads;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Gateway.Entering;

/// <summary>
/// Every request's first station, before its path is matched: it gets its name and its clock; one for an endpoint's own DNS name is led
/// to that endpoint, and to nothing else of this server; a path below <c>/v1</c> that nobody serves is refused in OpenAI's words. Who
/// comes before the first snapshot waits for it here, whatever the path.
/// </summary>
internal sealed class GatewayEntry(RequestDelegate next, GatewayState state, GatewayOptions options, TimeProvider time)
{
    private readonly RequestIds _ids = new();
    private readonly long _began = time.GetTimestamp();

    public async Task InvokeAsync(HttpContext context)
    {
        RequestHead.Begin(context, _ids, time);
        if (state.Snapshot.Version == 0 && NeedsSnapshot(context.Request))
            await state.BegunAsync(time, context.RequestAborted);
        if (state.FindHost(context.Request.Host.Value) is { } host)
        {
            context.Features.Set(host);
            if (!host.HasModelAt(context.Request.Path))
                context.Request.Path = EndpointPaths.Prefix + host.Endpoint + context.Request.Path;
        }
        await next(context);
        if (context.Response is { StatusCode: StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed, HasStarted: false, ContentType: null }
            && context.Request.Path.StartsWithSegments("/v1"))
        {
            await ErrorAnswers.WriteAsync(context, Unknown(context), ApiDialect.OpenAi, context.RequestAborted);
        }
    }

    /// <summary>
    /// A name that may be an endpoint's waits only while the gateway is new: a server that never gets a snapshot must not hold up those
    /// who call it by a name that it was not told of.
    /// </summary>
    private bool NeedsSnapshot(HttpRequest request) =>
        (HostRoute.IsOfModels(request.Path) && !request.Path.StartsWithSegments("/v2/health")) || request.Path.StartsWithSegments(EndpointPaths.Prefix.TrimEnd('/'))
        || (HostName.TryParse(request.Host.Host, out var host) && !options.OwnHosts.Contains(host, StringComparer.OrdinalIgnoreCase) && time.GetElapsedTime(_began) < options.StartPatience);

    private static CallError Unknown(HttpContext context) => context.Response.StatusCode == StatusCodes.Status404NotFound
        ? new CallError(404, "invalid_request_error", "unknown_url",
            $"Unknown request URL: {context.Request.Method} {context.Request.Path}. Please check the URL for typos; docs/gateway.md lists what there is.")
        : new CallError(405, "invalid_request_error", "method_not_supported",
            $"Not allowed to {context.Request.Method} on {context.Request.Path}; it takes {context.Response.Headers.Allow}.");
}
