using System.Net;
using Cairn.Serving.Gateway.Bodies;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Entering;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Cairn.Serving.Gateway.OpenInference.Grpc;

/// <summary>
/// Passes <c>inference.GRPCInferenceService</c> to replicas by the model that a request names. Of a message nothing but that name is read and replaced; tensors go through as
/// they come, in both directions. A small request is kept, and tried elsewhere where a replica fails before its answer.
/// </summary>
internal sealed class GrpcForward(InferenceGateway gateway, OpenInferenceDesk desk, ServerAnswers server, Upstream upstream, GatewayOptions options)
{
    private const int MostKeptBytes = 1 << 20;

    /// <summary>What the replica is not told: Cairn's keys, and what belongs to a connection.</summary>
    private static readonly HashSet<string> s_notTold = new(StringComparer.OrdinalIgnoreCase)
    {
        "authorization", "x-api-key", "api-key", "host", "connection", "content-length", "content-type", "transfer-encoding", "te", RequestIds.Header,
    };

    public void Map(IEndpointRouteBuilder routes) => routes.Map(GrpcMethod.Package + "{method}", HandleAsync);

    private async Task HandleAsync(HttpContext context)
    {
        gateway.IdOf(context);
        var grpc = context.Request.ContentType?.StartsWith(GrpcAnswers.ContentType, StringComparison.OrdinalIgnoreCase) == true;
        if (!grpc || !HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            await OpenInferenceForward.FailAsync(context, grpc ? GrpcAnswers.OnlyHttp2 : GrpcAnswers.OnlyGrpc);
            return;
        }
        try
        {
            if (await TakeAsync(context) is { } error)
                await GrpcAnswers.FailAsync(context, error);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
        }
    }

    private async Task<CallError?> TakeAsync(HttpContext context)
    {
        var name = (string)context.Request.RouteValues["method"]!;
        if (GrpcMethod.Find(name) is not { } method)
            return await server.TryAnswerAsync(context, name);
        var (caller, unknown) = desk.Authenticate(context.Request);
        if (caller is null)
            return unknown;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;
        // A client that waits for an answer before it asks again sends nothing meanwhile, and is not slow.
        if (method.Streams && context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
        var (start, whole) = await RequestBody.ReadStartAsync(context.Request.BodyReader, MostKeptBytes, gateway.Bodies, Enough, context.RequestAborted);
        if (start is null)
            return CallError.NoMemory;
        using (start)
        {
            var (model, fault) = ModelRename.Peek(start.Bytes.Span, method.ModelField);
            if (model is null)
                return GrpcAnswers.ErrorOf(fault ?? GrpcFault.NoMessage);
            var (call, refused) = desk.Admit(context, caller.Value, model);
            if (call is null)
                return refused;
            using (call)
                return await desk.AnswerAsync(call, context, to => SendAsync(new Sending(context, method, call, model, start, whole), to));
        }

        bool Enough(ReadOnlyMemory<byte> bytes) => ModelRename.Peek(bytes.Span, method.ModelField) is var (known, wrong) && (wrong is not null || (method.Streams && known is not null));
    }

    private async Task<OpenInferenceEnd> SendAsync(Sending sending, OpenInferenceTry to)
    {
        var (context, call) = (sending.Context, sending.Call);
        if (to.Replica.Spec.GrpcPort == 0)
            return OpenInferenceEnd.Refused(CallError.NoGrpc(call.Model));
        var rename = new ModelRename(sending.Method.ModelField, sending.Asked, to.NameOf(call));
        using var content = new GrpcContent(sending.Start, sending.Whole ? null : context.Request.BodyReader, rename, () => desk.CountAnother(call, to.Target));
        using var request = RequestOf(sending, to, content);
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        Alive();
        HttpResponseMessage? response = null;
        try
        {
            RequestHead.Pass(context);
            response = await upstream.Http.SendAsync(request, silence.Token);
            var end = await GrpcRelay.RunAsync(context, response, call.Model, to.MayTryAgain && sending.Whole, Alive, silence.Token);
            return end with { Again = end.Again && !content.TookRest };
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or OperationCanceledException)
        {
            context.RequestAborted.ThrowIfCancellationRequested();
            if (content.Refusal is { } refusal)
                return OpenInferenceEnd.Refused(refusal);
            var why = failed is OperationCanceledException ? "silent for too long" : failed.Message;
            return context.Response.HasStarted
                ? OpenInferenceEnd.Failed(CallError.BrokeOff(why), why, again: false)
                : OpenInferenceEnd.Failed(CallError.AllFailed(call.Model, why), why, again: !content.TookRest);
        }
        finally
        {
            RequestHead.Return(context);
            response?.Dispose();
            await content.StopAsync();
        }

        // A stream may rest as long as its client wishes; whether the replica is there is asked by pings.
        void Alive()
        {
            if (!sending.Method.Streams)
                silence.CancelAfter(options.SilenceTimeout);
        }
    }

    private static HttpRequestMessage RequestOf(Sending sending, OpenInferenceTry to, GrpcContent content)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Upstream.GrpcAddressOf(to.Replica.Spec, GrpcMethod.Package + sending.Method.Name))
        {
            Content = content, Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        content.Headers.TryAddWithoutValidation("Content-Type", sending.Context.Request.ContentType);
        request.Headers.TryAddWithoutValidation("te", "trailers");
        request.Headers.TryAddWithoutValidation(RequestIds.Header, sending.Call.Record.Id);
        foreach (var (name, values) in sending.Context.Request.Headers)
        {
            if (!name.StartsWith(':') && !s_notTold.Contains(name))
                request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }
        return request;
    }

    /// <summary>A request that was let in.</summary>
    /// <param name="Asked">The model as it is named in the messages.</param>
    /// <param name="Start">What was read of it.</param>
    /// <param name="Whole">Whether that is all of it.</param>
    private sealed record Sending(HttpContext Context, GrpcMethod Method, OpenInferenceCall Call, string Asked, RequestBody Start, bool Whole);
}
