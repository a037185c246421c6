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
/// Passes any HTTP request below <c>/endpoints/NAME/</c> to a replica, WebSockets included; bodies are streamed both ways and nothing is
/// read. What changes nothing is tried elsewhere where a replica fails before its answer began; of the rest the gateway cannot know what
/// it may do twice.
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
        var session = ReplicaWait.SessionOf(context.Request, caller.Key);
        Prepare(context, name);
        if (await TryAsync(context, name, route.Route, session) is { } error)
            await ErrorAnswers.WriteAsync(context, error, ApiDialect.OpenAi, context.RequestAborted);
    }

    private static void Prepare(HttpContext context, string name)
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
    }

    /// <returns>Why nobody answered; null where the client has an answer or left.</returns>
    private async Task<CallError?> TryAsync(HttpContext context, string name, ModelRoute asked, ulong session)
    {
        var tried = new List<int>();
        var error = CallError.Asleep(name, asked.HoldTime);
        for (var attempt = 0; attempt < (MayRepeat(context) ? options.Attempts : 1); attempt++)
        {
            RequestHead.Leave(context);
            var found = await _replicas.FindAsync(asked, tried, session, context.RequestAborted);
            RequestHead.Return(context);
            if (found is null)
                break;
            if (await ForwardAsync(context, found) is not { } failure)
                return null;
            error = CallError.AllFailed(name, failure);
            // The forwarder takes a response that says something for one that was given.
            context.Response.StatusCode = StatusCodes.Status200OK;
            tried.Add(found.Replica.Slot);
        }
        return error;
    }

    /// <summary>Methods that change nothing (RFC 9110, section 9.2.1), without a body, which is streamed and gone.</summary>
    private static bool MayRepeat(HttpContext context) => (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
        && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false };

    /// <returns>Why it failed before the client had anything of an answer; null where it has one or left.</returns>
    private async Task<string?> ForwardAsync(HttpContext context, FoundReplica found)
    {
        gateway.Activities.MeterOf(found.Target.Endpoint).Arrived();
        var end = AttemptEnd.Failed;
        try
        {
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
            return end == AttemptEnd.Failed && !context.Response.HasStarted ? error.ToString() : null;
        }
        finally
        {
            found.Occupancy.End(end);
        }
    }
}
