using System.Net;
using System.Net.Http.Headers;
using Cairn.Contracts.Ids;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Frameworks.Engine.Tensors;
using Cairn.Serving.Certificates;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Tests.Certificates;
using Cairn.Serving.Tests.Gateway;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Cairn.Serving.Tests.OpenInference;

/// <summary>A gateway, a client of gRPC that calls it, and real engines behind it that double vectors.</summary>
internal sealed class InferenceHost : IAsyncDisposable
{
    private readonly List<(EngineHost Engine, string Folder)> _engines = [];
    private readonly GrpcChannel _channel;

    private InferenceHost(GatewayHost gateway, HttpMessageHandler? handler)
    {
        Gateway = gateway;
        var options = new GrpcChannelOptions { MaxReceiveMessageSize = null, MaxSendMessageSize = null, HttpHandler = handler, DisposeHttpClient = true };
        _channel = GrpcChannel.ForAddress(gateway.Client.BaseAddress!, options);
        Client = new GRPCInferenceService.GRPCInferenceServiceClient(_channel);
    }

    public GatewayHost Gateway { get; }

    public GRPCInferenceService.GRPCInferenceServiceClient Client { get; }

    public Metadata Key => new() { { "authorization", "Bearer " + Gateway.Key } };

    public static async Task<InferenceHost> StartAsync(Action<GatewayOptions>? change = null) => new(await GatewayHost.StartAsync(change), null);

    /// <summary>With TLS: the client trusts the authority alone.</summary>
    public static async Task<InferenceHost> StartAsync(TestAuthority authority)
    {
        var (book, (chain, key)) = (new CertificateBook(), authority.Issue("127.0.0.1"));
        book.Replace(0, [ServedCertificate.Read("own.pem", chain, key)]);
        return new InferenceHost(await GatewayHost.StartAsync(certificates: book), new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = authority.TrustAlone() } });
    }

    /// <summary>Starts an engine with the model <c>double</c>: y = x + x, one dimension of any length.</summary>
    public async Task<ReplicaSpec> EngineAsync()
    {
        var folder = Directory.CreateTempSubdirectory("cairn-gateway-").FullName;
        DoublingModel.Write(Path.Combine(folder, "double"));
        var tensors = new TensorOptions { Repositories = { folder }, Threads = 1, DefaultBatch = 0 };
        var options = new EngineHostOptions { Http = new IPEndPoint(IPAddress.Loopback, 0), Grpc = new IPEndPoint(IPAddress.Loopback, 0), Tensors = tensors };
        var engine = await EngineHost.StartAsync(options, TimeProvider.System, _ => { }, TestContext.Current.CancellationToken);
        await engine.Ready;
        _engines.Add((engine, folder));
        return new ReplicaSpec
        {
            Task = TaskId.New(DateTimeOffset.UnixEpoch), Address = new Uri(engine.HttpAddress), GrpcPort = new Uri(engine.GrpcAddress!).Port, Ready = true, Place = "here",
        };
    }

    /// <summary>Serves <c>tiny</c> from replicas that know it as <c>double</c>.</summary>
    public ModelRoute Serve(params ReplicaSpec[] replicas) => Gateway.Serve("tiny", route => route with
    {
        Targets = [(PoolTarget)route.Targets[0] with { UpstreamModel = "double", Replicas = replicas }],
    });

    public static ModelInferRequest Request(string model, params float[] numbers) => new()
    {
        ModelName = model,
        Id = "42",
        Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "x", Datatype = "FP32", Shape = { numbers.Length } } },
        RawInputContents = { ByteString.CopyFrom(System.Runtime.InteropServices.MemoryMarshal.AsBytes(numbers.AsSpan())) },
    };

    /// <summary>Sends a call as bytes, as a client without any of these classes does.</summary>
    public async Task<(byte[] Body, HttpResponseMessage Response)> RawAsync(string method, byte[] body, System.Version? version = null)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Gateway.Client.BaseAddress!, "/inference.GRPCInferenceService/" + method))
        {
            Version = version ?? HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(body),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.Authorization = new("Bearer", Gateway.Key.ToString());
        var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken), response);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await Gateway.DisposeAsync();
        foreach (var (engine, folder) in _engines)
        {
            await engine.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }
    }
}
