using Cairn.Contracts.Units;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Entering;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Yarp.ReverseProxy.Forwarder;

namespace Cairn.Serving.Gateway.PassingThrough;

/// <summary>
/// Passes any HTTP request below <c>/endpoints/NAME/</c> to a replica, WebSockets included; bodies are streamed both ways and nothing is read. Not tried again elsewhere:
/// the gateway cannot know what a request may do twice.
/// </summary>
internal sealed class EndpointForward(InferenceGateway gateway, Upstream upstream, IHttpForwarder forwarder, IWakesEndpoints waker, GatewayOptions options, TimeProvider time)
{
    private static readonly string[] s_keyHeaders = ["Authorization", "x-api-key", "api-key"];
    private readonly ReplicaWait _replicas = new(gateway.State, gateway.Activities, waker, options, time);
    private readonly ForwarderRequestConfig _config = new() { ActivityTimeout = options.SilenceTimeout, AllowResponseBuffering = false };

    public void Map(IEndpointRouteBuilder routes) => routes.Map(EndpointPaths.Prefix + "{endpoint}/{**rest}", HandleAsync);

    private async Task HandleAsync(HttpContext context)
    {
        var name = (string)context.Request.RouteValues["endpoint"]!;
        if (Admission.Authenticate(context.Request, gateway.State, time.GetUtcNow()) is not { } caller)
        {
            await ErrorAnswers.WriteAsync(context, Admission.Unknown(gateway.State), ApiDialect.OpenAi, context.RequestAborted);
            return;
        }
        var host = context.Features.Get<HostRoute>();
        if ((host is not null && host.Project != caller.Key.Project) || gateway.State.FindRoute(new ModelName(caller.Key.Project, EndpointPaths.Prefix + name)) is not { } route)
        {
            await ErrorAnswers.WriteAsync(context, CallError.NoEndpoint(name), ApiDialect.OpenAi, context.RequestAborted);
            return;
        }
        if (Admission.Unmetered(caller.Key, caller.Account, EndpointPaths.Prefix + name, gateway.State) is { } refused)
        {
            await ErrorAnswers.WriteAsync(context, refused, ApiDialect.OpenAi, context.RequestAborted);
            return;
        }
        // Requests per minute and at once hold here too; a WebSocket is one request for as long as it is open.
        using var reservation = Reservation.Take(caller.Account, 0, Money.Zero, time.GetUtcNow(), out var over);
        if (reservation is null)
        {
            await ErrorAnswers.WriteAsync(context, Admission.Refused(over!), ApiDialect.OpenAi, context.RequestAborted);
            return;
        }
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
        RequestHead.Leave(context);
        var replica = await _replicas.FindAsync(route.Route, [], ReplicaWait.SessionOf(context.Request, caller.Key), context.RequestAborted);
        RequestHead.Return(context);
        if (replica is not { } found)
        {
            await ErrorAnswers.WriteAsync(context, CallError.Asleep(name, route.Route.HoldTime), ApiDialect.OpenAi, context.RequestAborted);
            return;
        }
        await ForwardAsync(context, name, found);
    }

    private async Task ForwardAsync(HttpContext context, string name, FoundReplica found)
    {
        gateway.Activities.MeterOf(found.Target.Endpoint).Arrived();
        var end = AttemptEnd.Failed;
        try
        {
            var prefix = EndpointPaths.Prefix + name;
            // The replica is not told the client's key: it is Cairn's.
            foreach (var header in s_keyHeaders)
                context.Request.Headers.Remove(header);
            context.Request.Path = context.Request.Path.Value![prefix.Length..];
            if (context.Features.Get<HostRoute>() is null)
                context.Request.Headers["X-Forwarded-Prefix"] = prefix;
            if (context.Response.Headers[RequestIds.Header] is [{ } id])
                context.Request.Headers[RequestIds.Header] = id;
            RequestHead.Pass(context);
            var error = await forwarder.SendAsync(context, Upstream.AddressOf(found.Replica.Spec, "/").AbsoluteUri, upstream.Http, _config);
            end = error switch
            {
                ForwarderError.None => AttemptEnd.Answered,
                ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled or ForwarderError.ResponseBodyCanceled or ForwarderError.UpgradeRequestCanceled
                    or ForwarderError.UpgradeResponseCanceled => AttemptEnd.Abandoned,
                _ => AttemptEnd.Failed,
            };
            RequestHead.Return(context);
            if (end == AttemptEnd.Failed && !context.Response.HasStarted)
                await ErrorAnswers.WriteAsync(context, CallError.AllFailed(name, error.ToString()), ApiDialect.OpenAi, context.RequestAborted);
        }
        finally
        {
            found.Occupancy.End(end);
        }
    }
}
