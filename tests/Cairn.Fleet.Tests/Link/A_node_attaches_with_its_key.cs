using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;
using Cairn.Fleet.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Cairn.Fleet.Tests.Link;

public sealed class A_node_attaches_with_its_key : IAsyncLifetime
{
    private readonly List<TestNode> _nodes = [];
    private LinkServer _server = null!;
    private GrpcChannel _channel = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await LinkServer.StartAsync(server => server.LinkOptions.OutboundQueue = 256);
        _channel = _server.Connect();
    }

    public async ValueTask DisposeAsync()
    {
        _nodes.ForEach(node => node.Dispose());
        _channel.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task It_is_welcome_healthy_and_reachable()
    {
        var node = await JoinAsync();
        await using var stream = new TestStream(_channel);
        var welcome = await stream.AttachAsync(node, bootEpoch: 3);
        Assert.Equal(_server.NodeOptions.HeartbeatSeconds, welcome.HeartbeatSeconds);
        Assert.Equal(32, welcome.Session.Length);
        var known = State(node);
        Assert.Equal((NodeHealth.Healthy, true, 3), (known.Health, known.Connected, known.BootEpoch));
        Assert.True(known.TakesWork);

        Assert.True(_server.Get<NodeLinks>().Send(node.Id, new ServerMessage { Stop = new StopTask { TaskId = "t" } }));
        Assert.Equal("t", (await stream.NextAsync()).Stop.TaskId);
    }

    [Fact]
    public async Task The_end_of_its_stream_takes_it_off_but_not_out_of_health()
    {
        var node = await JoinAsync();
        await using (var stream = new TestStream(_channel))
            await stream.AttachAsync(node);
        await Eventually.HoldsAsync(() => !State(node).Connected, "the node is not connected");
        Assert.False(_server.Get<NodeLinks>().Send(node.Id, new ServerMessage()));
        Assert.Equal(NodeHealth.Healthy, State(node).Health);
    }

    [Fact]
    public async Task A_proof_by_another_key_is_refused()
    {
        var (node, other) = (await JoinAsync(), await JoinAsync());
        await using var stream = new TestStream(_channel);
        await stream.HelloAsync(node);
        var nonce = (await stream.NextAsync()).Challenge.Nonce;
        var forged = NSec.Cryptography.SignatureAlgorithm.Ed25519.Sign(other.Key, NodeProof.Message(nonce.Span, node.Id.Value));
        await stream.SendAsync(node, new NodeMessage { Proof = new Proof { Signature = ByteString.CopyFrom(forged) } });
        Assert.Equal("unauthenticated", (await stream.NextAsync()).Refused.Code);
        Assert.False(State(node).Connected);

        // The nonce is spent: even the right signature over it makes no session now.
        await stream.SendAsync(node, new NodeMessage { Proof = node.Sign(nonce) });
        await stream.HelloAsync(node);
        Assert.Equal(ServerMessage.BodyOneofCase.Challenge, (await stream.NextAsync()).BodyCase);
        Assert.False(State(node).Connected);
    }

    [Fact]
    public async Task A_proof_for_one_node_is_none_for_another()
    {
        var (node, other) = (await JoinAsync(), await JoinAsync());
        await using var stream = new TestStream(_channel);
        await stream.HelloAsync(other);
        var nonce = (await stream.NextAsync()).Challenge.Nonce;
        await stream.SendAsync(other, new NodeMessage { Proof = node.Sign(nonce) });
        Assert.Equal("unauthenticated", (await stream.NextAsync()).Refused.Code);
    }

    [Fact]
    public async Task A_hello_with_an_unknown_id_or_another_key_is_refused()
    {
        var (node, other) = (await JoinAsync(), await JoinAsync());
        await using var stream = new TestStream(_channel);
        await stream.SendAsync(node, new NodeMessage { Hello = new Hello { PublicKey = other.PublicKey, BootEpoch = 1 } });
        Assert.Equal("not_found", (await stream.NextAsync()).Refused.Code);
        using var stranger = new TestNode();
        await stream.HelloAsync(stranger);
        Assert.Equal("not_found", (await stream.NextAsync()).Refused.Code);
    }

    [Fact]
    public async Task A_recorded_conversation_sent_again_makes_no_session()
    {
        var node = await JoinAsync();
        await using var first = new TestStream(_channel);
        await first.HelloAsync(node);
        var proof = node.Sign((await first.NextAsync()).Challenge.Nonce);
        await first.SendAsync(node, new NodeMessage { Proof = proof });
        Assert.Equal(ServerMessage.BodyOneofCase.Welcome, (await first.NextAsync()).BodyCase);
        var session = _server.Get<NodeLinks>().Current(node.Id)!.Number;

        await using var replayed = new TestStream(_channel);
        await replayed.HelloAsync(node);
        Assert.Equal(ServerMessage.BodyOneofCase.Challenge, (await replayed.NextAsync()).BodyCase);
        await replayed.SendAsync(node, new NodeMessage { Proof = proof });
        Assert.Equal("unauthenticated", (await replayed.NextAsync()).Refused.Code);
        Assert.Equal(session, _server.Get<NodeLinks>().Current(node.Id)!.Number);
    }

    [Fact]
    public async Task A_newer_session_ends_the_older_and_what_the_older_still_says_is_dropped()
    {
        var node = await JoinAsync();
        await using var older = new TestStream(_channel);
        await older.AttachAsync(node);
        await using var newer = new TestStream(_channel);
        await newer.AttachAsync(node);
        var late = older.SendAsync(node, Report(sequence: 7));
        Assert.Equal(StatusCode.Aborted, await older.EndAsync());
        await Task.WhenAny(late, Task.Delay(1));

        await newer.SendAsync(node, Report(sequence: 8));
        Assert.Equal(8, (await newer.NextAsync()).ReportAck.Sequence);
        Assert.Equal([8], _server.Work.Reports.Select(r => r.Report.Sequence));
        Assert.True(State(node).Connected);
    }

    [Fact]
    public async Task On_a_stream_of_many_a_replaced_node_is_dropped_and_the_others_go_on()
    {
        var (moved, stays) = (await JoinAsync(), await JoinAsync());
        await using var shared = new TestStream(_channel);
        await shared.AttachAsync(moved);
        await shared.AttachAsync(stays);
        await using var newer = new TestStream(_channel);
        await newer.AttachAsync(moved);

        await shared.SendAsync(moved, Report(sequence: 1));
        await shared.SendAsync(stays, Report(sequence: 2));
        Assert.Equal(2, (await shared.NextAsync()).ReportAck.Sequence);
        Assert.Equal(stays.Id, Assert.Single(_server.Work.Reports).Node);
    }

    [Fact]
    public async Task An_older_start_of_the_daemon_is_not_answered()
    {
        var (node, other) = (await JoinAsync(), await JoinAsync());
        await using var current = new TestStream(_channel);
        await current.AttachAsync(node, bootEpoch: 5);
        await using var leftBehind = new TestStream(_channel);
        await leftBehind.HelloAsync(node, bootEpoch: 4);
        await leftBehind.HelloAsync(other);
        Assert.Equal(other.Id.ToString(), (await leftBehind.NextAsync()).NodeId);
        Assert.True(State(node).Connected);
    }

    [Fact]
    public async Task Nothing_is_heard_before_the_proof()
    {
        var node = await JoinAsync();
        await using var stream = new TestStream(_channel);
        await stream.SendAsync(node, Report(sequence: 1));
        await stream.HelloAsync(node);
        await stream.SendAsync(node, Report(sequence: 2));
        var nonce = (await stream.NextAsync()).Challenge.Nonce;
        await stream.SendAsync(node, new NodeMessage { Proof = node.Sign(nonce) });
        Assert.Equal(ServerMessage.BodyOneofCase.Welcome, (await stream.NextAsync()).BodyCase);
        Assert.Empty(_server.Work.Reports);
    }

    [Fact]
    public async Task What_is_sent_while_the_replay_is_read_comes_after_the_welcome_and_the_replay()
    {
        var node = await JoinAsync();
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource<NodeReplay>();
        _server.Work.Replay = (_, _) =>
        {
            asked.SetResult();
            return answer.Task;
        };
        await using var stream = new TestStream(_channel);
        var attached = stream.AttachAsync(node);
        await asked.Task;
        Assert.True(_server.Get<NodeLinks>().Send(node.Id, Start("fresh")));
        answer.SetResult(new NodeReplay(["old"], [Start("replayed 1"), Start("replayed 2")]));
        Assert.Equal(["old"], (await attached).ForgetTasks);
        var order = new[] { await stream.NextAsync(), await stream.NextAsync(), await stream.NextAsync() };
        Assert.Equal(["replayed 1", "replayed 2", "fresh"], order.Select(message => message.Start.TaskId));
    }

    [Fact]
    public async Task A_heartbeat_is_answered_and_renews_the_leases_it_names()
    {
        var node = await JoinAsync();
        await using var stream = new TestStream(_channel);
        await stream.AttachAsync(node);
        await stream.SendAsync(node, new NodeMessage { Heartbeat = new Heartbeat { Tasks = { "a", "b" } } });
        Assert.Equal(ServerMessage.BodyOneofCase.HeartbeatAck, (await stream.NextAsync()).BodyCase);
        Assert.Equal(["a", "b"], (await stream.NextAsync()).Renewal.TaskIds);
    }

    [Fact]
    public async Task A_stream_that_nobody_reads_is_ended_and_its_node_comes_back()
    {
        var node = await JoinAsync();
        await using var stream = new TestStream(_channel);
        await stream.AttachAsync(node);
        var heavy = new string('x', 64 * 1024);
        await Eventually.HoldsAsync(() => !_server.Get<NodeLinks>().Send(node.Id, Start(heavy)), "the queue is full");
        // With its window full of unread messages the stream can only be reset.
        Assert.NotEqual(StatusCode.OK, await stream.EndAsync());
        await using var again = new TestStream(_channel);
        await again.AttachAsync(node);
    }

    [Fact]
    public async Task A_message_beyond_the_limit_ends_the_stream()
    {
        var node = await JoinAsync();
        await using var stream = new TestStream(_channel);
        await stream.AttachAsync(node);
        var sent = stream.SendAsync(node, new NodeMessage { Log = new LogChunk { Data = ByteString.CopyFrom(new byte[5 << 20]) } });
        await Task.WhenAny(sent);
        Assert.Equal(StatusCode.ResourceExhausted, await stream.EndAsync());
    }

    [Fact]
    public async Task Other_flags_at_the_next_start_change_the_node_and_survive_a_restart()
    {
        var node = await JoinAsync();
        await using (var stream = new TestStream(_channel))
        {
            await stream.AttachAsync(node);
            var declared = TestNode.Request("", node.PublicKey).Declaration;
            declared.Labels["rack"] = "7";
            await stream.SendAsync(node, new NodeMessage { Declaration = declared });
            await Eventually.HoldsAsync(() => State(node).Facts.Labels.ContainsKey("rack"), "the label is known");
            declared.Country = "nowhere";
            await stream.SendAsync(node, new NodeMessage { Declaration = declared });
            await stream.SendAsync(node, Report(1));
            await stream.NextAsync();
        }
        await _server.RestartAsync();
        _channel.Dispose();
        _channel = _server.Connect();
        Assert.Equal("7", State(node).Facts.Labels["rack"]);
        Assert.Equal("", State(node).Facts.Region.Country);
    }

    [Fact]
    public async Task A_removed_node_is_told_so_and_refused_from_then_on()
    {
        var node = await JoinAsync();
        await using var stream = new TestStream(_channel);
        await stream.AttachAsync(node);
        await _server.Get<Enrolment>().RemoveAsync(State(node), TestContext.Current.CancellationToken);
        Assert.Equal(EndReasons.NodeRemoved, (await stream.NextAsync()).Refused.Code);
        await using var again = new TestStream(_channel);
        await again.HelloAsync(node);
        Assert.Equal("not_found", (await again.NextAsync()).Refused.Code);
    }

    [Fact]
    public async Task A_stream_on_which_nobody_proves_a_key_in_time_is_ended()
    {
        await using var server = await LinkServer.StartAsync(s => s.LinkOptions.ProofSeconds = 1);
        using var channel = server.Connect();
        await using var silent = new TestStream(channel);
        Assert.Equal(StatusCode.Unauthenticated, await silent.EndAsync());
    }

    [Fact]
    public async Task Blobs_are_given_and_taken_only_as_a_task_of_the_session_may()
    {
        var (node, task) = (await JoinAsync(), TaskId.New(DateTimeOffset.UtcNow));
        await using var stream = new TestStream(_channel);
        await stream.AttachAsync(node);
        var content = new byte[700_000];
        new Random(1).NextBytes(content);
        var hash = Cairn.State.BlobHash.Of(content);

        Assert.Equal(StatusCode.PermissionDenied, await PutAsync(node, task, stream.Session, hash, content));
        _server.Work.Writers[(node.Id, task)] = true;
        Assert.Equal(StatusCode.Unauthenticated, await PutAsync(node, task, ByteString.CopyFrom(new byte[32]), hash, content));
        Assert.Equal(StatusCode.InvalidArgument, await PutAsync(node, task, stream.Session, hash, content[1..]));
        Assert.Equal(StatusCode.OK, await PutAsync(node, task, stream.Session, hash, content));

        Assert.Equal(StatusCode.PermissionDenied, (await GetAsync(node, task, stream.Session, hash)).Status);
        _server.Work.Readable[(node.Id, task, hash)] = true;
        var (status, read) = await GetAsync(node, task, stream.Session, hash);
        Assert.Equal(StatusCode.OK, status);
        Assert.Equal(content, read);
        Assert.Equal(StatusCode.Unauthenticated, (await GetAsync(node, task, ByteString.Empty, hash)).Status);
        Assert.Equal(StatusCode.InvalidArgument, (await GetAsync(node, task, stream.Session, "../../etc/passwd")).Status);
    }

    private async Task<StatusCode> PutAsync(TestNode node, TaskId task, ByteString session, string hash, byte[] content)
    {
        using var call = new NodeLink.NodeLinkClient(_channel).PutBlob();
        try
        {
            var header = new PutBlobRequest
            {
                NodeId = node.Id.ToString(), TaskId = task.ToString(), Session = session, Hash = hash, SizeBytes = content.Length,
            };
            await call.RequestStream.WriteAsync(header);
            foreach (var part in content.Chunk(100_000))
                await call.RequestStream.WriteAsync(new PutBlobRequest { Data = ByteString.CopyFrom(part) });
            await call.RequestStream.CompleteAsync();
        }
        catch (RpcException)
        {
            // The refusal may come before the last part is sent; the response says it.
        }
        try
        {
            Assert.True((await call).Stored);
            return StatusCode.OK;
        }
        catch (RpcException error)
        {
            return error.StatusCode;
        }
    }

    private async Task<(StatusCode Status, byte[] Content)> GetAsync(TestNode node, TaskId task, ByteString session, string hash)
    {
        var request = new GetBlobRequest { NodeId = node.Id.ToString(), TaskId = task.ToString(), Session = session, Hash = hash };
        using var call = new NodeLink.NodeLinkClient(_channel).GetBlob(request);
        var content = new MemoryStream();
        try
        {
            while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
                call.ResponseStream.Current.Data.WriteTo(content);
            return (StatusCode.OK, content.ToArray());
        }
        catch (RpcException error)
        {
            return (error.StatusCode, []);
        }
    }

    private async Task<TestNode> JoinAsync()
    {
        var node = await TestNode.JoinAsync(_channel, await _server.TokenAsync());
        _nodes.Add(node);
        return node;
    }

    private FleetNode State(TestNode node) => _server.Get<FleetNodes>().Find(node.Id)!;

    private static NodeMessage Report(long sequence) => new() { Report = new TaskReport { TaskId = "t", Epoch = 1, Sequence = sequence } };

    private static ServerMessage Start(string task) => new() { Start = new StartTask { TaskId = task } };
}
