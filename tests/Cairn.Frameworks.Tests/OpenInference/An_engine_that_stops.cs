using System.Net;
using System.Text;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi;
using Cairn.Frameworks.Engine.OpenInference;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Frameworks.Engine.Tensors;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cairn.Frameworks.Tests.OpenInference;

/// <summary>The engine's routes over an empty repository: whatever is asked of a model is not found, until the engine stops.</summary>
public sealed class An_engine_that_stops : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-stops-").FullName;
    private readonly LoadedModels _models = new();
    private readonly EngineReadiness _readiness = new();
    private WebApplication _app = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        var tensors = new TensorOptions { Repositories = { _folder }, AllowsControl = true };
        builder.Services.AddOpenInference(tensors, new(_models, _readiness, TimeProvider.System), grpc: true);
        _app = builder.Build();
        _app.MapOpenAi(_models, _readiness, TimeProvider.System);
        _app.MapOpenInference(_app.Services.GetRequiredService<ModelRepository>(), _models, _readiness);
        _app.MapGrpcService<GrpcInference>();
        await _app.StartAsync(Token);
        _readiness.Set(EnginePhase.Ready);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _models.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("/v1/chat/completions", """{"model":"none","messages":[{"role":"user","content":"Hi"}]}""")]
    [InlineData("/v1/completions", """{"model":"none","prompt":"Hi"}""")]
    [InlineData("/v1/embeddings", """{"model":"none","input":"Hi"}""")]
    [InlineData("/v1/rerank", """{"model":"none","query":"Hi","documents":["a"]}""")]
    [InlineData("/v2/rerank", """{"model":"none","query":"Hi","documents":["a"]}""")]
    [InlineData("/rerank", """{"model":"none","query":"Hi","documents":["a"]}""")]
    [InlineData("/tokenize", """{"model":"none","prompt":"Hi"}""")]
    [InlineData("/detokenize", """{"model":"none","tokens":[1]}""")]
    [InlineData("/v2/models/none/infer", """{"inputs":[]}""")]
    [InlineData("/v2/models/none/versions/1/infer", """{"inputs":[]}""")]
    [InlineData("/v2/models/none/generate", """{"text_input":"Hi"}""")]
    [InlineData("/v2/models/none/generate_stream", """{"text_input":"Hi"}""")]
    [InlineData("/v2/repository/models/none/load", "{}")]
    [InlineData("/v2/repository/models/none/unload", "{}")]
    public async Task Refuses_whatever_is_asked_of_a_model_over_HTTP(string path, string body)
    {
        Assert.Equal(HttpStatusCode.NotFound, (await PostAsync(path, body)).Status);

        _readiness.Set(EnginePhase.Draining);
        var (status, answer, retry) = await PostAsync(path, body);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (status, retry));
        Assert.Contains("engine is stopping and takes no new requests", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_it_over_gRPC_too_and_on_a_stream_that_is_open()
    {
        using var channel = GrpcChannel.ForAddress(_app.Urls.Last());
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        var calls = new Func<Task>[]
        {
            () => client.ModelInferAsync(Request("1"), cancellationToken: Token).ResponseAsync,
            () => client.RepositoryModelLoadAsync(new RepositoryModelLoadRequest { ModelName = "none" }, cancellationToken: Token).ResponseAsync,
            () => client.RepositoryModelUnloadAsync(new RepositoryModelUnloadRequest { ModelName = "none" }, cancellationToken: Token).ResponseAsync,
        };
        foreach (var call in calls)
            Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(call)).StatusCode);
        using var stream = client.ModelStreamInfer(cancellationToken: Token);
        Assert.Contains("not found", await AskAsync(stream, "1"), StringComparison.Ordinal);

        _readiness.Set(EnginePhase.Draining);

        foreach (var call in calls)
            Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(call)).StatusCode);
        Assert.Equal("the engine is stopping and takes no new requests", await AskAsync(stream, "2"));
        Assert.False((await client.ServerReadyAsync(new ServerReadyRequest(), cancellationToken: Token)).Ready);
    }

    [Theory]
    [InlineData("/v1/models")]
    [InlineData("/v2")]
    [InlineData("/v2/models")]
    public async Task Still_says_what_it_is(string path)
    {
        _readiness.Set(EnginePhase.Draining);
        using var http = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
        using var answer = await http.GetAsync(path, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static ModelInferRequest Request(string id) => new()
    {
        ModelName = "none", Id = id, RawInputContents = { ByteString.CopyFrom(new byte[sizeof(float)]) },
        Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "x", Datatype = "FP32", Shape = { 1 } } },
    };

    private static async Task<string> AskAsync(AsyncDuplexStreamingCall<ModelInferRequest, ModelStreamInferResponse> stream, string id)
    {
        await stream.RequestStream.WriteAsync(Request(id), Token);
        Assert.True(await stream.ResponseStream.MoveNext(Token));
        Assert.Equal(id, stream.ResponseStream.Current.InferResponse.Id);
        return stream.ResponseStream.Current.ErrorMessage;
    }

    private async Task<(HttpStatusCode Status, string Answer, string? Retry)> PostAsync(string path, string body)
    {
        using var http = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
        using var answer = await http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), Token);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Token), answer.Headers.RetryAfter?.ToString());
    }
}
