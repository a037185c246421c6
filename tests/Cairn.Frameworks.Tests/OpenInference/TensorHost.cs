using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.Tensors;
using Grpc.Net.Client;

namespace Cairn.Frameworks.Tests.OpenInference;

/// <summary>A real engine on free ports of loopback, with a repository that goes with the test.</summary>
internal sealed class TensorHost : IAsyncDisposable
{
    private readonly GrpcChannel _channel;

    private TensorHost(EngineHost engine, string repository)
    {
        (Engine, RepositoryFolder) = (engine, repository);
        Http = new HttpClient { BaseAddress = new Uri(engine.HttpAddress) };
        _channel = GrpcChannel.ForAddress(engine.GrpcAddress!);
        Grpc = new(_channel);
    }

    public EngineHost Engine { get; }

    public string RepositoryFolder { get; }

    public HttpClient Http { get; }

    public Cairn.Frameworks.Engine.OpenInference.Wire.GRPCInferenceService.GRPCInferenceServiceClient Grpc { get; }

    public static async Task<TensorHost> StartAsync(Action<string> fill, Action<TensorOptions>? configure = null)
    {
        var repository = Directory.CreateTempSubdirectory("cairn-tensors-").FullName;
        fill(repository);
        var tensors = new TensorOptions { Repositories = { repository }, Threads = 1 };
        configure?.Invoke(tensors);
        var options = new EngineHostOptions
        {
            Http = new IPEndPoint(IPAddress.Loopback, 0),
            Grpc = new IPEndPoint(IPAddress.Loopback, 0),
            Tensors = tensors,
        };
        var engine = await EngineHost.StartAsync(options, TimeProvider.System, logging => { }, TestContext.Current.CancellationToken);
        await engine.Ready;
        return new TensorHost(engine, repository);
    }

    public async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
    {
        using var response = await Http.GetAsync(path, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public async Task<(HttpStatusCode Status, string Body)> PostAsync(string path, string json = "")
    {
        using var response = await Http.PostAsync(
            path, new StringContent(json, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>A body as it is, with the binary extension's header where a length is given.</summary>
    public async Task<(HttpResponseMessage Response, byte[] Body)> PostBytesAsync(
        string path, byte[] body, int? jsonLength, string? contentEncoding = null, string? acceptEncoding = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        if (jsonLength is { } length)
            request.Headers.Add("Inference-Header-Content-Length", length.ToString());
        if (contentEncoding is not null)
            request.Content.Headers.ContentEncoding.Add(contentEncoding);
        if (acceptEncoding is not null)
            request.Headers.AcceptEncoding.ParseAdd(acceptEncoding);
        var response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        return (response, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        _channel.Dispose();
        await Engine.DisposeAsync();
        Directory.Delete(RepositoryFolder, recursive: true);
    }
}
