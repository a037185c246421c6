using Cairn.Serving.Files;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Entering;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Yarp.ReverseProxy.Forwarder;

namespace Cairn.Serving.Alone;

/// <summary>
/// Files and batches are the server's: what is asked about them goes there with the client's own key, streamed both ways, and its answer
/// comes back as it is. While the server is away it is refused at once.
/// </summary>
internal sealed class PassedToServer(InferenceGateway gateway, ServerLink link, AloneSnapshots snapshots, AloneOptions options, IHttpForwarder forwarder) : IDisposable
{
    private static readonly ForwarderRequestConfig s_config = new() { ActivityTimeout = TimeSpan.FromSeconds(100), AllowResponseBuffering = false };
    private static readonly HttpTransformer s_transformer = new UnderItsOwnName();

    private readonly string _server = options.Server.AbsoluteUri.TrimEnd('/');
    private readonly HttpMessageInvoker _http = new(options.NewHandler());

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.Map("/v1/files/{**rest}", OpenAiAnswers.Guarded(gateway, PassAsync));
        routes.Map("/v1/batches/{**rest}", OpenAiAnswers.Guarded(gateway, PassAsync));
    }

    public void Dispose() => _http.Dispose();

    private async Task<CallError?> PassAsync(HttpContext context, GatewayKey key)
    {
        if (link.IsAway)
            return CallError.Away;
        var most = snapshots.MostFileBytes;
        if (context.Request.ContentLength > most + FileEndpoints.FormBytes)
            return FileUpload.TooLarge(most);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = most + FileEndpoints.FormBytes;
        RequestHead.Pass(context);
        var failed = await forwarder.SendAsync(context, _server, _http, s_config, s_transformer);
        RequestHead.Return(context);
        if (failed == ForwarderError.None || context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
            return null;
        // The forwarder takes a response that says something for one that was given.
        context.Response.StatusCode = StatusCodes.Status200OK;
        return context.GetForwarderErrorFeature()?.Exception is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }
            ? FileUpload.TooLarge(most) : CallError.Away;
    }

    /// <summary>The server is called by its own name, whatever name the client called the gateway by.</summary>
    private sealed class UnderItsOwnName : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(HttpContext context, HttpRequestMessage request, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(context, request, destinationPrefix, cancellationToken);
            request.Headers.Host = null;
        }
    }
}
