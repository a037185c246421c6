using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Bodies;
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

namespace Cairn.Serving.Gateway.OpenInference;

/// <summary>
/// Passes the Open Inference Protocol's requests for a model to its replicas, the model's name in the path replaced by theirs. Bodies are streamed both ways; only a small
/// one is kept, and tried elsewhere where a replica fails before its answer. Every request counts as one, without tokens.
/// </summary>
internal sealed class OpenInferenceForward(InferenceGateway gateway, Upstream upstream, IHttpForwarder forwarder, IWakesEndpoints waker, GatewayOptions options, TimeProvider time)
{
    private const int MostKeptBytes = 1 << 20;
    private readonly ReplicaWait _replicas = new(gateway.State, gateway.Activities, waker, options, time);
    private readonly BodyMemory _memory = new(options.BodyMemoryBytes);
    private readonly ForwarderRequestConfig _config = new() { ActivityTimeout = options.SilenceTimeout, AllowResponseBuffering = false };

    public void Map(IEndpointRouteBuilder routes) => routes.Map("/v2/models/{model}/{**rest}", HandleAsync);

    private async Task HandleAsync(HttpContext context)
    {
        if (await TakeAsync(context) is not { } error)
            return;
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }
        context.Response.StatusCode = error.Status;
        if (error.RetryAfter is { } wait)
            context.Response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        await context.Response.WriteAsJsonAsync(new { error = error.Message }, context.RequestAborted);
    }

    private async Task<CallError?> TakeAsync(HttpContext context)
    {
        var now = time.GetUtcNow();
        if (Admission.Authenticate(context.Request, gateway.State, now) is not { } caller)
            return Admission.Unknown(gateway.State);
        var model = ((string)context.Request.RouteValues["model"]!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        if (HostRoute.NameOf(context, caller.Key.Project, model) is not { } name || gateway.State.FindRoute(name) is not { } route)
            return CallError.NoModel(model);
        // Nothing here tells tokens, so a key that is held to tokens or money must not come this way.
        if (Admission.Unmetered(caller.Key, caller.Account, name.Model, gateway.State) is { } unmetered)
            return unmetered;
        using var reservation = Reservation.Take(caller.Account, 0, Money.Zero, now, out var over);
        if (reservation is null)
            return Admission.Refused(over!);
        var keeps = context.Request.ContentLength is <= MostKeptBytes || context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false };
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
        if (!keeps)
            return await TryAsync(context, caller.Key, route.Route, null);
        var (body, _) = await RequestBody.ReadAsync(context.Request.BodyReader, context.Request.ContentLength, MostKeptBytes, _memory, context.RequestAborted);
        using (body)
            return body is null ? CallError.NoMemory : await TryAsync(context, caller.Key, route.Route, body);
    }

    private async Task<CallError?> TryAsync(HttpContext context, GatewayKey key, ModelRoute asked, RequestBody? body)
    {
        var tried = new List<int>();
        var error = CallError.Asleep(asked.Name.Model, asked.HoldTime);
        for (var attempt = 0; attempt < (body is null ? 1 : options.Attempts); attempt++)
        {
            RequestHead.Leave(context);
            var found = await _replicas.FindAsync(asked, tried, context.RequestAborted);
            RequestHead.Return(context);
            if (found is not var (replica, target))
                break;
            if (body is not null)
                context.Request.Body = new MemoryStream(body.Bytes.ToArray(), writable: false);
            var passing = new Passing(replica, target, asked.Name.Model, body is not null && attempt + 1 < options.Attempts);
            var failure = await ForwardAsync(context, passing);
            if (failure is null)
            {
                gateway.Usage.Add(new UsageSubject(key.Project, key.Id, asked.Name.Model, target.Endpoint, null), new UsageSum(1, 0, 0, 0, Money.Zero));
                return null;
            }
            error = CallError.AllFailed(asked.Name.Model, failure);
            if (context.Response.HasStarted)
                break;
            context.RequestAborted.ThrowIfCancellationRequested();
            // The forwarder takes a response that says something for one that was given.
            context.Response.StatusCode = StatusCodes.Status200OK;
            tried.Add(replica.Slot);
        }
        return error;
    }

    /// <returns>Why it failed and may be tried elsewhere; null where the client has an answer or left.</returns>
    private async Task<string?> ForwardAsync(HttpContext context, Passing passing)
    {
        gateway.Activities.MeterOf(passing.Target.Endpoint).Arrived();
        var occupancy = new Occupancy(passing.Replica, passing.Target, gateway.Activities, tokens: 0, time);
        var end = AttemptEnd.Failed;
        try
        {
            RequestHead.Pass(context);
            var sent = await forwarder.SendAsync(context, Upstream.AddressOf(passing.Replica.Spec, "/").AbsoluteUri, upstream.Http, _config, passing, context.RequestAborted);
            RequestHead.Return(context);
            if (context.RequestAborted.IsCancellationRequested)
                end = AttemptEnd.Abandoned;
            else if (sent == ForwarderError.None && passing.Refused is null)
                end = AttemptEnd.Answered;
            return end == AttemptEnd.Failed ? passing.Refused ?? sent.ToString() : null;
        }
        finally
        {
            occupancy.End(end);
        }
    }

    /// <summary>One request on its way to one replica.</summary>
    /// <param name="again">Whether another replica may be tried, so that a refusal need not reach the client.</param>
    private sealed class Passing(ReplicaState replica, PoolTarget target, string model, bool again) : HttpTransformer
    {
        private static readonly string[] s_keyHeaders = ["Authorization", "x-api-key", "api-key"];

        public ReplicaState Replica { get; } = replica;

        public PoolTarget Target { get; } = target;

        /// <summary>The status that was kept from the client.</summary>
        public string? Refused { get; private set; }

        public override async ValueTask TransformRequestAsync(HttpContext context, HttpRequestMessage request, string destination, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(context, request, destination, cancellationToken);
            // The replica is not told the client's key: it is Cairn's.
            foreach (var header in s_keyHeaders)
                request.Headers.Remove(header);
            request.Headers.Host = null;
            var rest = (string?)context.Request.RouteValues["rest"] is { Length: > 0 } more ? "/" + string.Join('/', more.Split('/').Select(Uri.EscapeDataString)) : "";
            var name = Target.UpstreamModel.Length == 0 ? model : Target.UpstreamModel;
            request.RequestUri = new Uri($"{destination.TrimEnd('/')}/v2/models/{Uri.EscapeDataString(name)}{rest}{context.Request.QueryString}");
        }

        public override ValueTask<bool> TransformResponseAsync(HttpContext context, HttpResponseMessage? response, CancellationToken cancellationToken)
        {
            if (!again || response is null || (int)response.StatusCode is < 500 and not 429)
                return base.TransformResponseAsync(context, response, cancellationToken);
            Refused = $"status {(int)response.StatusCode}";
            return ValueTask.FromResult(false);
        }
    }
}
