using System.Net;
using System.Security.Cryptography;
using System.Threading.Channels;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Tunnels;
using Cairn.Contracts.Wire;
using Cairn.Node.Identity;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Node.Tests.Harness;

/// <summary>The server side of the wire contract over a real socket with real TLS. Its memory is a <see cref="TestFleet"/>.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestServer(WebApplication app) => _app = app;

    public int Port { get; private init; }

    public string Address => $"127.0.0.1:{Port}";

    public static async Task<TestServer> StartAsync(TestFleet fleet, int port = 0, string host = "127.0.0.1")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc(options => options.EnableDetailedErrors = true);
        builder.Services.AddSingleton(fleet);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMilliseconds(100));
        var certificate = fleet.Authority.Issue(host);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(https =>
            {
                https.ServerCertificate = certificate;
                https.OnAuthenticate = (_, tls) => tls.ApplicationProtocols!.Add(TunnelWire.Protocol);
            });
            listen.Use(next => connection => connection.Features.Get<ISslStreamFeature>() is { SslStream: var stream }
                && stream.NegotiatedApplicationProtocol == TunnelWire.Protocol ? TestTunnels.ServeAsync(fleet, stream) : next(connection));
        }));
        var app = builder.Build();
        app.MapGrpcService<TestNodeLink>();
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new TestServer(app) { Port = new Uri(address).Port };
    }

    public string Token(TestFleet fleet) => new JoinToken(Address, fleet.Authority.Sha256, "token-1", "secret").Encode();

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

internal sealed class TestNodeLink(TestFleet fleet, IHostApplicationLifetime lifetime) : NodeLink.NodeLinkBase
{
    public override Task<GetAuthorityReply> GetAuthority(GetAuthorityRequest request, ServerCallContext context) =>
        Task.FromResult(new GetAuthorityReply { Certificate = ByteString.CopyFrom(fleet.Authority.Certificate.RawData) });

    public override Task<JoinReply> Join(JoinRequest request, ServerCallContext context)
    {
        if (!JoinToken.TryDecode(request.Token, out var token) || token.Secret != "secret")
            throw new RpcException(new Status(StatusCode.PermissionDenied, "the token is not valid"));
        fleet.Joined = request;
        fleet.PublicKey = request.PublicKey;
        return Task.FromResult(new JoinReply { NodeId = fleet.NodeId, Name = "node-1" });
    }

    public override async Task Attach(
        IAsyncStreamReader<NodeMessage> requestStream, IServerStreamWriter<ServerMessage> responseStream, ServerCallContext context)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        await requestStream.MoveNext(ends.Token);
        var hello = requestStream.Current.Hello;
        fleet.Hellos.Enqueue(hello);
        var nonce = RandomNumberGenerator.GetBytes(32);
        await responseStream.WriteAsync(new ServerMessage { Challenge = new Challenge { Nonce = ByteString.CopyFrom(nonce) } });
        await requestStream.MoveNext(ends.Token);
        var isProved = NodeIdentity.VerifyProof(fleet.PublicKey!.Span, nonce, TypedId.Parse<NodeId>(fleet.NodeId), requestStream.Current.Proof.Signature.Span);
        if (fleet.RefusesNode || !isProved)
        {
            await responseStream.WriteAsync(new ServerMessage { Refused = new Refused { Code = "node_removed", Message = "removed by a test" } });
            return;
        }
        fleet.Session = RandomNumberGenerator.GetBytes(32);
        var welcome = new Welcome { HeartbeatSeconds = fleet.HeartbeatSeconds, Session = ByteString.CopyFrom(fleet.Session) };
        welcome.ForgetTasks.Add(fleet.Forget);
        await responseStream.WriteAsync(new ServerMessage { Welcome = welcome });
        await ServeAsync(requestStream, responseStream, ends);
    }

    private async Task ServeAsync(
        IAsyncStreamReader<NodeMessage> requests, IServerStreamWriter<ServerMessage> responses, CancellationTokenSource ends)
    {
        var outbound = Channel.CreateUnbounded<ServerMessage>();
        fleet.Attach(outbound);
        var writing = Task.Run(async () =>
        {
            await foreach (var message in outbound.Reader.ReadAllAsync(ends.Token))
                await responses.WriteAsync(message, ends.Token);
        });
        try
        {
            while (await requests.MoveNext(ends.Token))
                Take(requests.Current, outbound.Writer);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
        }
        finally
        {
            fleet.Detach(outbound);
            await ends.CancelAsync();
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Take(NodeMessage message, ChannelWriter<ServerMessage> reply)
    {
        Assert.Equal(fleet.NodeId, message.NodeId);
        switch (message.BodyCase)
        {
            case NodeMessage.BodyOneofCase.Heartbeat:
                Interlocked.Increment(ref fleet.Heartbeats);
                fleet.LastHeartbeat = message.Heartbeat;
                if (fleet.AnswersHeartbeats)
                    reply.TryWrite(new ServerMessage { HeartbeatAck = new HeartbeatAck() });
                if (fleet.AnswersHeartbeats && fleet.RenewsLeases)
                    reply.TryWrite(new ServerMessage { Renewal = new LeaseRenewal { TaskIds = { message.Heartbeat.Tasks } } });
                break;
            case NodeMessage.BodyOneofCase.Report:
                var report = message.Report;
                if (report.EndReason == Contracts.Jobs.EndReasons.Superseded)
                {
                    fleet.Refusals.Enqueue(report);
                    break;
                }
                fleet.Task(report.TaskId).Take(report);
                if (fleet.AcknowledgesReports)
                    reply.TryWrite(new ServerMessage { ReportAck = new ReportAck { TaskId = report.TaskId, Epoch = report.Epoch, Sequence = report.Sequence } });
                break;
            case NodeMessage.BodyOneofCase.Log:
                if (fleet.LosesNextChunk)
                {
                    fleet.LosesNextChunk = false;
                    break;
                }
                var length = fleet.Task(message.Log.TaskId).Take(message.Log);
                if (fleet.AcknowledgesLogs)
                    reply.TryWrite(new ServerMessage { LogAck = new LogAck { TaskId = message.Log.TaskId, Epoch = message.Log.Epoch, Offset = length } });
                break;
            case NodeMessage.BodyOneofCase.Output:
                var output = message.Output;
                fleet.Task(output.TaskId).Outputs.Add(output);
                reply.TryWrite(new ServerMessage { OutputAck = new OutputAck { TaskId = output.TaskId, Epoch = output.Epoch, Name = output.Name } });
                break;
            case NodeMessage.BodyOneofCase.Inventory:
                fleet.LastInventory = message.Inventory;
                break;
            case NodeMessage.BodyOneofCase.Declaration:
                fleet.LastDeclaration = message.Declaration;
                break;
        }
    }

    public override async Task GetBlob(GetBlobRequest request, IServerStreamWriter<BlobChunk> responseStream, ServerCallContext context)
    {
        Check(request.Session);
        if (!fleet.Blobs.TryGetValue(request.Hash, out var content))
            throw new RpcException(new Status(StatusCode.NotFound, $"there is no blob {request.Hash}"));
        fleet.Fetched.Enqueue(request.Hash);
        for (var at = 0; at < content.Length; at += 64 * 1024)
            await responseStream.WriteAsync(new BlobChunk { Data = ByteString.CopyFrom(content, at, Math.Min(64 * 1024, content.Length - at)) });
    }

    public override async Task<PutBlobReply> PutBlob(IAsyncStreamReader<PutBlobRequest> requestStream, ServerCallContext context)
    {
        await requestStream.MoveNext();
        var header = requestStream.Current;
        Check(header.Session);
        if (fleet.Blobs.ContainsKey(header.Hash))
            return new PutBlobReply { Stored = true };
        var content = new MemoryStream();
        content.Write(header.Data.Span);
        while (await requestStream.MoveNext())
            content.Write(requestStream.Current.Data.Span);
        if (Convert.ToHexStringLower(SHA256.HashData(content.ToArray())) != header.Hash || content.Length != header.SizeBytes)
            throw new RpcException(new Status(StatusCode.InvalidArgument, "the bytes do not have the hash"));
        fleet.Stored.Enqueue(header.Hash);
        fleet.Blobs[header.Hash] = content.ToArray();
        return new PutBlobReply { Stored = true };
    }

    private void Check(ByteString session)
    {
        if (!session.Span.SequenceEqual(fleet.Session))
            throw new RpcException(new Status(StatusCode.Unauthenticated, "wrong session"));
    }
}
