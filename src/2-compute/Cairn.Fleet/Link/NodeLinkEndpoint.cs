using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Wire;
using Cairn.State;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Hosting;

namespace Cairn.Fleet.Link;

/// <summary>
/// The gRPC face of the link: what a daemon calls. Every call proves itself, by token, signature or session, so none needs a key.
/// </summary>
internal sealed class NodeLinkEndpoint(
    LinkParts parts, LinkCertificates certificates, BlobTransfers blobs, IHostApplicationLifetime lifetime, Leadership? leadership = null)
    : NodeLink.NodeLinkBase
{
    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(2);

    /// <summary>Shorter than a daemon's patience with a handshake, so that it hears why.</summary>
    private static readonly TimeSpan s_untilLeading = TimeSpan.FromSeconds(10);

    public override Task<GetAuthorityReply> GetAuthority(GetAuthorityRequest request, ServerCallContext context) =>
        Task.FromResult(new GetAuthorityReply { Certificate = ByteString.CopyFrom(certificates.AuthorityDer.Span) });

    public override async Task<JoinReply> Join(JoinRequest request, ServerCallContext context)
    {
        var (reply, problem) = await parts.Enrolment.JoinAsync(request, context.CancellationToken);
        return reply ?? throw new RpcException(new Status(StatusOf(problem!), problem!.Message));
    }

    public override async Task Attach(
        IAsyncStreamReader<NodeMessage> requestStream, IServerStreamWriter<ServerMessage> responseStream, ServerCallContext context)
    {
        var leadOver = await LeadingAsync(context.CancellationToken);
        using var stream = new NodeStream(parts.Options.OutboundQueue);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stream.Closed);
        await using var stopping = lifetime.ApplicationStopping.Register(() => stream.Close(StreamEnd.Stopping));
        await using var proofDue = parts.Time.CreateTimer(
            _ => stream.EndUnlessProved(), null, TimeSpan.FromSeconds(parts.Options.ProofSeconds), Timeout.InfiniteTimeSpan);
        await using var leading = leadOver.UnsafeRegister(_ => stream.Close(StreamEnd.NotLeading), null);
        var conversation = new NodeConversation(stream, parts);
        parts.Instruments.Streams.Add(1);
        using var pumping = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var pump = PumpAsync(stream, responseStream, pumping.Token);
        try
        {
            while (await requestStream.MoveNext(over.Token))
                await conversation.HandleAsync(requestStream.Current, over.Token);
        }
        catch (Exception error) when (over.IsCancellationRequested || error is IOException)
        {
            // The other side is gone, or the server has ended the stream; which of them is said below.
        }
        finally
        {
            parts.Instruments.Streams.Add(-1);
            stream.Close(StreamEnd.Gone);
            await conversation.EndAsync();
            // What is still queued, a refusal say, may leave; but nobody is waited for who does not read.
            pumping.CancelAfter(stream.End == StreamEnd.TooSlow ? TimeSpan.Zero : s_lastWords);
            await pump;
        }
        if (Explain(stream.End) is { } status)
            throw new RpcException(status);
    }

    public override async Task GetBlob(GetBlobRequest request, IServerStreamWriter<BlobChunk> responseStream, ServerCallContext context)
    {
        var caller = Caller(request.NodeId, request.TaskId, request.Session);
        await blobs.ReadAsync(caller, request.Hash, responseStream, context.CancellationToken);
    }

    public override async Task<PutBlobReply> PutBlob(IAsyncStreamReader<PutBlobRequest> requestStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken))
            throw new RpcException(new Status(StatusCode.InvalidArgument, "PutBlob got no header"));
        var header = requestStream.Current;
        var caller = Caller(header.NodeId, header.TaskId, header.Session);
        await blobs.WriteAsync(caller, requestStream, context.CancellationToken);
        return new PutBlobReply { Stored = true };
    }

    /// <summary>
    /// Of the servers that share a database only the leader knows what a node should run, and renews its leases. A node that comes when the
    /// leader has died waits here for the next.
    /// </summary>
    /// <returns>What fires when this server leads no more.</returns>
    private async Task<CancellationToken> LeadingAsync(CancellationToken cancellationToken)
    {
        if (leadership is null)
            return CancellationToken.None;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        try
        {
            return (await leadership.TakenAsync(either.Token).WaitAsync(s_untilLeading, parts.Time, CancellationToken.None)).Over;
        }
        catch (Exception none) when (none is TimeoutException or OperationCanceledException)
        {
            throw new RpcException(Explain(StreamEnd.NotLeading)!.Value);
        }
    }

    private BlobCaller Caller(string node, string task, ByteString secret)
    {
        if (TypedId.TryParse<NodeId>(node, out var nodeId) && TypedId.TryParse<TaskId>(task, out var taskId)
            && parts.Links.Current(nodeId) is { IsWelcome: true } session && session.SecretIs(secret.Span))
        {
            return new BlobCaller(nodeId, taskId);
        }
        throw new RpcException(
            new Status(StatusCode.Unauthenticated, "the call is not from a current session; attach, and use the secret of the welcome"));
    }

    /// <summary>Ends with the stream, whatever ends it.</summary>
    private static async Task PumpAsync(NodeStream stream, IServerStreamWriter<ServerMessage> writer, CancellationToken cancellationToken)
    {
        try
        {
            await stream.PumpAsync(writer, cancellationToken);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or InvalidOperationException)
        {
            stream.Close(StreamEnd.Gone);
        }
    }

    private static StatusCode StatusOf(Problem problem) => problem.Code switch
    {
        ProblemCodes.Unauthenticated => StatusCode.Unauthenticated,
        ProblemCodes.Forbidden => StatusCode.PermissionDenied,
        _ => StatusCode.InvalidArgument,
    };

    private static Status? Explain(StreamEnd end) => end switch
    {
        StreamEnd.TooSlow => new Status(StatusCode.ResourceExhausted,
            "the stream was read more slowly than it was written to; attach anew"),
        StreamEnd.TooManyNodes => new Status(StatusCode.ResourceExhausted, "the stream stands for as many nodes as one may; open another"),
        StreamEnd.NoProof => new Status(StatusCode.Unauthenticated, "no node of the stream proved its key in time"),
        StreamEnd.NoNodesLeft => new Status(StatusCode.Aborted, "every node of the stream has a newer one or was removed"),
        StreamEnd.Stopping => new Status(StatusCode.Unavailable, "the server stops; attach anew"),
        StreamEnd.NotLeading => new Status(StatusCode.Unavailable, "another server of those on this database leads; attach anew"),
        StreamEnd.Failed => new Status(StatusCode.Internal, "the server could not go on with this stream; attach anew"),
        _ => null,
    };
}
