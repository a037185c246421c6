using System.Globalization;
using Cairn.Serving.Gateway.Bodies;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Entering;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Yarp.ReverseProxy.Forwarder;

namespace Cairn.Serving.Gateway.OpenInference;

/// <summary>
/// Passes the Open Inference Protocol's requests for a model to its replicas, the model's name in the path replaced by theirs. Bodies are streamed both ways; only a small
/// one is kept, and tried elsewhere where a replica fails before its answer.
/// </summary>
internal sealed class OpenInferenceForward(InferenceGateway gateway, OpenInferenceDesk desk, Upstream upstream, IHttpForwarder forwarder, GatewayOptions options)
{
    private const int MostKeptBytes = 1 << 20;
    private readonly ForwarderRequestConfig _config = new() { ActivityTimeout = options.SilenceTimeout, AllowResponseBuffering = false };

    public void Map(IEndpointRouteBuilder routes) => routes.Map("/v2/models/{model}/{**rest}", HandleAsync);

    /// <summary>Tells an error in the protocol's words.</summary>
    public static async Task FailAsync(HttpContext context, CallError error)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }
        context.Response.StatusCode = error.Status;
        if (error.RetryAfter is { } wait)
            context.Response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        await context.Response.WriteAsJsonAsync(new { error = error.Message }, context.RequestAborted);
    }

    private async Task HandleAsync(HttpContext context)
    {
        gateway.IdOf(context);
        if (await TakeAsync(context) is { } error)
            await FailAsync(context, error);
    }

    private async Task<CallError?> TakeAsync(HttpContext context)
    {
        var (caller, unknown) = desk.Authenticate(context.Request);
        if (caller is null)
            return unknown;
        var model = ((string)context.Request.RouteValues["model"]!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        var (call, refused) = desk.Admit(context, caller.Value, model);
        if (call is null)
            return refused;
        using (call)
        {
            var keeps = context.Request.ContentLength is <= MostKeptBytes || context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false };
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
                size.MaxRequestBodySize = null;
            if (!keeps)
                return await desk.AnswerAsync(call, context, to => ForwardAsync(context, call, to, null));
            var (body, _) = await RequestBody.ReadAsync(context.Request.BodyReader, context.Request.ContentLength, MostKeptBytes, gateway.Bodies, context.RequestAborted);
            using (body)
                return body is null ? CallError.NoMemory : await desk.AnswerAsync(call, context, to => ForwardAsync(context, call, to, body));
        }
    }

    private async Task<OpenInferenceEnd> ForwardAsync(HttpContext context, OpenInferenceCall call, OpenInferenceTry to, RequestBody? body)
    {
        if (body is not null)
            context.Request.Body = new MemoryStream(body.Bytes.ToArray(), writable: false);
        var passing = new Passing(to.NameOf(call), call.Record.Id, body is not null && to.MayTryAgain);
        RequestHead.Pass(context);
        var sent = await forwarder.SendAsync(context, Upstream.AddressOf(to.Replica.Spec, "/").AbsoluteUri, upstream.Http, _config, passing, context.RequestAborted);
        RequestHead.Return(context);
        if (context.RequestAborted.IsCancellationRequested)
            return OpenInferenceEnd.Left;
        if (sent == ForwarderError.None && passing.Refused is null)
            return passing.IsPoor ? OpenInferenceEnd.Poor(context.Response.StatusCode, $"status {context.Response.StatusCode}") : OpenInferenceEnd.Answered(context.Response.StatusCode);
        var why = passing.Refused ?? sent.ToString();
        if (context.Response.HasStarted)
            return OpenInferenceEnd.Failed(CallError.BrokeOff(why), why, again: false);
        // The forwarder takes a response that says something for one that was given.
        context.Response.StatusCode = StatusCodes.Status200OK;
        return OpenInferenceEnd.Failed(CallError.AllFailed(call.Model, why), why, again: body is not null);
    }

    /// <summary>One request on its way to one replica.</summary>
    /// <param name="again">Whether another replica may be tried, so that a refusal need not reach the client.</param>
    private sealed class Passing(string model, string id, bool again) : HttpTransformer
    {
        private static readonly string[] s_keyHeaders = ["Authorization", "x-api-key", "api-key"];

        /// <summary>The status that was kept from the client.</summary>
        public string? Refused { get; private set; }

        /// <summary>Whether the answer says that the replica does badly.</summary>
        public bool IsPoor { get; private set; }

        public override async ValueTask TransformRequestAsync(HttpContext context, HttpRequestMessage request, string destination, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(context, request, destination, cancellationToken);
            // The replica is not told the client's key: it is Cairn's.
            foreach (var header in s_keyHeaders)
                request.Headers.Remove(header);
            request.Headers.Remove(RequestIds.Header);
            request.Headers.TryAddWithoutValidation(RequestIds.Header, id);
            request.Headers.Host = null;
            var rest = (string?)context.Request.RouteValues["rest"] is { Length: > 0 } more ? "/" + string.Join('/', more.Split('/').Select(Uri.EscapeDataString)) : "";
            request.RequestUri = new Uri($"{destination.TrimEnd('/')}/v2/models/{Uri.EscapeDataString(model)}{rest}{context.Request.QueryString}");
        }

        public override ValueTask<bool> TransformResponseAsync(HttpContext context, HttpResponseMessage? response, CancellationToken cancellationToken)
        {
            if (response is null || (int)response.StatusCode is < 500 and not 429)
                return base.TransformResponseAsync(context, response, cancellationToken);
            IsPoor = true;
            if (!again)
                return base.TransformResponseAsync(context, response, cancellationToken);
            Refused = $"status {(int)response.StatusCode}";
            return ValueTask.FromResult(false);
        }
    }
}
