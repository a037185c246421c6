using System.Buffers;
using System.Security.Cryptography;
using Cairn.Contracts.Wire;
using Cairn.Node.Link;
using Google.Protobuf;
using Grpc.Core;

namespace Cairn.Node.Files;

/// <summary>A blob that cannot be had or stored however often one tries. The message says which and why.</summary>
internal sealed class BlobException(string message) : Exception(message);

/// <summary>Reads and writes blobs of the control plane. While it is away, waits; what arrives is held against its hash.</summary>
internal sealed class BlobLink(ServerLink link, string nodeId, TimeProvider clock, Random random)
{
    private const int ChunkBytes = 256 * 1024;
    private const int MostWrongAnswers = 3;

    /// <summary>Writes the blob's bytes to <paramref name="path"/>, checked.</summary>
    /// <exception cref="BlobException">The server does not have it, or sent other bytes than the hash says.</exception>
    public Task FetchAsync(string taskId, string hash, long size, string path, CancellationToken cancellationToken) =>
        RetryAsync(async (session, token) =>
        {
            using var call = session.Client.GetBlob(
                new GetBlobRequest { NodeId = nodeId, TaskId = taskId, Hash = hash, Session = session.Secret }, cancellationToken: token);
            using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            while (await call.ResponseStream.MoveNext(token))
            {
                var data = call.ResponseStream.Current.Data;
                if (file.Position + data.Length > size)
                    return $"the blob {hash} is longer than the {size} bytes that the manifest says";
                sha.AppendData(data.Span);
                await file.WriteAsync(data.Memory, token);
            }
            return Convert.ToHexStringLower(sha.GetHashAndReset()) == hash && file.Position == size
                ? null
                : $"the blob {hash} arrived with other content: {file.Position} of {size} bytes";
        }, cancellationToken);

    /// <summary>Stores a file under its hash. A server that has it already says so after the header, and no bytes travel.</summary>
    public Task StoreAsync(string taskId, string hash, string path, CancellationToken cancellationToken) =>
        RetryAsync(async (session, token) =>
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            using var call = session.Client.PutBlob(cancellationToken: token);
            try
            {
                await WriteAsync(call, session, taskId, hash, file, token);
            }
            catch (Exception e) when (e is RpcException or InvalidOperationException && call.ResponseAsync.IsCompletedSuccessfully)
            {
                // The answer came before the bytes: the server has the blob.
            }
            return (await call.ResponseAsync).Stored ? null : $"the server did not store the blob {hash}";
        }, cancellationToken);

    private async Task WriteAsync(
        AsyncClientStreamingCall<PutBlobRequest, PutBlobReply> call, ServerSession session, string taskId, string hash, FileStream file,
        CancellationToken token)
    {
        await call.RequestStream.WriteAsync(new PutBlobRequest
        {
            NodeId = nodeId,
            TaskId = taskId,
            Hash = hash,
            SizeBytes = file.Length,
            Session = session.Secret,
        }, token);
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            int length;
            while (!call.ResponseAsync.IsCompleted && (length = await file.ReadAsync(buffer.AsMemory(0, ChunkBytes), token)) > 0)
                await call.RequestStream.WriteAsync(new PutBlobRequest { Data = ByteString.CopyFrom(buffer, 0, length) }, token);
            if (!call.ResponseAsync.IsCompleted)
                await call.RequestStream.CompleteAsync();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private double Jitter()
    {
        lock (random)
            return random.NextDouble();
    }

    /// <summary>Tries until it worked. A broken connection is waited out; a wrong answer is given three chances.</summary>
    private async Task RetryAsync(Func<ServerSession, CancellationToken, Task<string?>> attempt, CancellationToken cancellationToken)
    {
        var wrong = 0;
        for (var failures = 1; ; failures++)
        {
            var session = await link.SessionAsync(cancellationToken);
            string? problem;
            try
            {
                problem = await attempt(session, cancellationToken);
                if (problem is null)
                    return;
                wrong++;
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.NotFound or StatusCode.InvalidArgument or StatusCode.PermissionDenied
                or StatusCode.ResourceExhausted)
            {
                problem = e.Status.Detail;
                wrong++;
            }
            catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
            {
                problem = e.Status.Detail;
            }
            if (wrong >= MostWrongAnswers)
                throw new BlobException(problem);
            await Task.Delay(Backoff.Delay(Math.Min(failures, 4), Jitter()), clock, cancellationToken);
        }
    }
}
