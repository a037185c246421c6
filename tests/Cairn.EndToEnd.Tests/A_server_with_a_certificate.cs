using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Serving.Tests.Certificates;
using Cairn.Serving.Tests.OpenInference;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Cairn.EndToEnd.Tests;

/// <summary>`cairn up` with a certificate for a public name that nothing resolves here, signed by an authority that nobody here trusts; and commands on the same machine.</summary>
[Trait("speed", "slow")]
public sealed class A_server_with_a_certificate : IAsyncDisposable
{
    private const string Name = "cairn.example.com";
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-e2e-").FullName;
    private readonly TestAuthority _authority = new();
    private readonly int _port = CairnProgram.FreePort();
    private readonly CairnProgram _cli;
    private RunningProgram? _up;

    public A_server_with_a_certificate() => _cli = new CairnProgram(Path.Combine(_folder, "home"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Address => $"https://{Name}:{_port}";

    [Fact]
    public async Task Is_called_by_its_name_and_known_by_its_certificate()
    {
        var own = Write("own.pem", _authority.Issue(Name));
        _up = RunningProgram.Start(_cli, ["up", "--data", Path.Combine(_folder, "data"), "--http", $"127.0.0.1:{_port}", "--grpc", "127.0.0.1:0", "--public-name", Name,
            "--tls-certificate", own, "--tls-key", own]);
        await Eventually.TrueAsync(async () =>
        {
            _up.RequireAlive();
            var nodes = await _cli.RunAsync("nodes", "--json");
            return nodes.ExitCode == 0 && nodes.Out.Contains("\"healthy\"", StringComparison.Ordinal);
        }, "the node is healthy, as the command line sees it");
        Assert.Equal(Address, (await _cli.RunAsync("context", "--json")).Succeeded().Json.Text("server"));

        var model = Path.Combine(_folder, "double");
        DoublingModel.Write(model);
        var served = (await _cli.RunAsync("serve", model)).Succeeded();
        Assert.Contains(Address + "/v1", served.Error, StringComparison.Ordinal);
        await InfersOverGrpcAsync();

        await IsFollowedByGatewaysAsync();
        await RefusesOthersAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_up is not null)
            await _up.DisposeAsync();
        var node = Path.Combine(_folder, "data", "node");
        NodeLeftovers.KillTasks(node);
        NodeLeftovers.DeleteWork(node);
        NodeLeftovers.Delete(_folder);
        _authority.Dispose();
    }

    private async Task InfersOverGrpcAsync()
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = { CertificateChainPolicy = _authority.TrustAlone() },
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, _port, token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var channel = GrpcChannel.ForAddress(Address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        var request = new ModelInferRequest
        {
            ModelName = "double", Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "x", Datatype = "FP32", Shape = { 2 } } },
            RawInputContents = { ByteString.CopyFrom(MemoryMarshal.AsBytes<float>([1.5f, -4])) },
        };
        var headers = new Metadata { { "authorization", "Bearer " + (string)Context()["key"]! } };
        var answer = await new GRPCInferenceService.GRPCInferenceServiceClient(channel).ModelInferAsync(request, headers, cancellationToken: Token);
        Assert.Equal([3f, -8f], MemoryMarshal.Cast<byte, float>(answer.RawOutputContents.Single().Span).ToArray());
    }

    /// <summary>A gateway that runs alone trusts what the context file says of the server, or the file that it is given, and nothing else.</summary>
    private async Task IsFollowedByGatewaysAsync()
    {
        var (right, untrusting) = (Context(), Context());
        untrusting.Remove("certificate");
        var key = (await _cli.RunAsync("keys", "create", "edge", "--role", "gateway", "--json")).Succeeded().Json.Text("key")!;
        await using (var byContext = new Edge(this, key, "by-context"))
            await byContext.FollowsAsync((string)right["key"]!);

        await SaveAsync(untrusting);
        using var others = new TestAuthority();
        await using (var byFile = new Edge(this, key, "by-file", "--certificate", Write("root.pem", (_authority.RootPem, ""))))
            await byFile.FollowsAsync((string)right["key"]!);
        await using (var byAnother = new Edge(this, key, "by-another", "--certificate", Write("other-root.pem", (others.RootPem, ""))))
            await byAnother.RefusesAsync();
        await SaveAsync(right);
    }

    /// <summary>The same server is refused by a command that was told another name, or to trust another certificate for the right name.</summary>
    private async Task RefusesOthersAsync()
    {
        var right = Context();
        using var others = new TestAuthority();
        await RefusedAsync(right, c => c["certificate"] = Write("other.pem", others.Issue(Name)));
        await RefusedAsync(right, c => c.Remove("certificate"));
        await RefusedAsync(right, c => c["certificate"] = Path.Combine(_folder, "absent.pem"));
        await RefusedAsync(right, c => c["server"] = $"https://other.example.com:{_port}");

        // An authority that a person trusts is enough.
        await SaveAsync(right);
        var root = Path.Combine(_folder, "root.pem");
        await File.WriteAllTextAsync(root, _authority.RootPem, Token);
        (await _cli.RunAsync((string)right["key"]!, ["context", "set", Address, "--certificate", root, "--key-from-stdin"])).Succeeded();
        (await _cli.RunAsync("nodes")).Succeeded();
        await RefusedAsync(right, c => c["certificate"] = Write("root.pem", (others.RootPem, "")));
    }

    private async Task RefusedAsync(JsonObject right, Action<JsonObject> change)
    {
        var changed = (JsonObject)right.DeepClone();
        change(changed);
        await SaveAsync(changed);
        var refused = await _cli.RunAsync("nodes");
        Assert.Equal(5, refused.ExitCode);
        Assert.Contains("has no certificate for that name that this machine trusts", refused.Error, StringComparison.Ordinal);
    }

    private Task SaveAsync(JsonObject context) => File.WriteAllTextAsync(Path.Combine(_cli.Home, "context.json"), context.ToJsonString(), Token);

    private JsonObject Context() => (JsonObject)JsonNode.Parse(File.ReadAllText(Path.Combine(_cli.Home, "context.json")))!;

    private string Write(string name, (string Chain, string Key) pair)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, pair.Chain + pair.Key);
        return path;
    }

    private sealed class Edge : IAsyncDisposable
    {
        private readonly RunningProgram _program;
        private readonly HttpClient _http;

        public Edge(A_server_with_a_certificate test, string key, string name, params string[] flags)
        {
            var at = $"127.0.0.1:{CairnProgram.FreePort()}";
            _http = new HttpClient { BaseAddress = new Uri("http://" + at) };
            _program = RunningProgram.Start(test._cli, ["gateway", "--server", test.Address, "--http", at, "--data", Path.Combine(test._folder, name), "--name", name, "--key", key, .. flags]);
        }

        /// <summary>Both what follows the server and what passes requests on to it reach it.</summary>
        public async Task FollowsAsync(string key)
        {
            await Eventually.TrueAsync(async () => await HealthAsync() == "ok", "the gateway follows the server");
            await Eventually.TrueAsync(async () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/files") { Headers = { { "authorization", "Bearer " + key } } };
                using var files = await _http.SendAsync(request, Token);
                return files.StatusCode == HttpStatusCode.OK;
            }, "the gateway passes requests on");
        }

        public async Task RefusesAsync()
        {
            await Eventually.TrueAsync(() =>
            {
                _program.RequireAlive();
                return Task.FromResult(_program.Log.Contains("its certificate is not trusted here", StringComparison.Ordinal));
            }, "the gateway says that it does not trust the server");
            Assert.NotEqual("ok", await HealthAsync());
        }

        public async ValueTask DisposeAsync()
        {
            _http.Dispose();
            await _program.DisposeAsync();
        }

        private async Task<string> HealthAsync()
        {
            _program.RequireAlive();
            try
            {
                using var response = await _http.GetAsync("/healthz", Token);
                return await response.Content.ReadAsStringAsync(Token);
            }
            catch (HttpRequestException)
            {
                return "";
            }
        }
    }
}
