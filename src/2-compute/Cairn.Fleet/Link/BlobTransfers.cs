using System.Buffers;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.State;
using Google.Protobuf;
using Grpc.Core;

namespace Cairn.Fleet.Link;

/// <summary>The proven caller of a blob transfer: a task on a node.</summary>
internal readonly record struct BlobCaller(NodeId Node, TaskId Task);

/// <summary>Blobs between nodes and the store: only those a task was given, and only where a task may leave any.</summary>
internal sealed class BlobTransfers(IBlobs blobs, INodeWork work, NodeLinkOptions options)
{
    private const int ChunkBytes = 256 * 1024;

    public async Task ReadAsync(BlobCaller caller, string hash, IAsyncStreamWriter<BlobChunk> target, CancellationToken cancellationToken)
    {
        RequireHash(hash);
        if (!await work.MayReadBlobAsync(caller.Node, caller.Task, hash, cancellationToken))
            throw Denied($"task {caller.Task} was not given blob {hash}");
        await using var content = await OpenAsync(hash, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            for (int read; (read = await content.ReadAtLeastAsync(buffer.AsMemory(0, ChunkBytes), ChunkBytes, false,
                cancellationToken)) > 0;)
            {
                // Written out before WriteAsync returns, so the buffer can be used again.
                await target.WriteAsync(new BlobChunk { Data = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, read)) },
                    cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Takes the blob whose header is the stream's current message.</summary>
    public async Task WriteAsync(BlobCaller caller, IAsyncStreamReader<PutBlobRequest> source, CancellationToken cancellationToken)
    {
        var header = source.Current;
        RequireHash(header.Hash);
        if (header.SizeBytes < 0 || header.SizeBytes > options.MaxBlobBytes)
            throw new RpcException(new Status(StatusCode.InvalidArgument,
                $"blob {header.Hash} has {header.SizeBytes} bytes, expected 0 to {options.MaxBlobBytes}"));
        if (!await work.MayWriteBlobAsync(caller.Node, caller.Task, cancellationToken))
            throw Denied($"task {caller.Task} may leave no blobs");
        await using var content = new PutBlobStream(source);
        try
        {
            await blobs.PutAsync(header.Hash, header.SizeBytes, content, cancellationToken);
        }
        catch (BlobException error)
        {
            throw new RpcException(
                new Status(error.Fault == BlobFault.Unavailable ? StatusCode.Unavailable : StatusCode.InvalidArgument, error.Message));
        }
    }

    private async Task<Stream> OpenAsync(string hash, CancellationToken cancellationToken)
    {
        try
        {
            return await blobs.OpenReadAsync(hash, cancellationToken);
        }
        catch (BlobException error)
        {
            throw new RpcException(
                new Status(error.Fault == BlobFault.Missing ? StatusCode.NotFound : StatusCode.Unavailable, error.Message));
        }
    }

    private static void RequireHash(string hash)
    {
        if (!BlobHash.IsValid(hash))
            throw new RpcException(new Status(StatusCode.InvalidArgument, "a blob is named by its SHA-256: 64 lower-case hex digits"));
    }

    private static RpcException Denied(string message) => new(new Status(StatusCode.PermissionDenied, message));
}

/// <summary>The bytes of a PutBlob call as a stream.</summary>
internal sealed class PutBlobStream(IAsyncStreamReader<PutBlobRequest> source) : Stream
{
    private ReadOnlyMemory<byte> _rest = source.Current.Data.Memory;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_rest.IsEmpty)
        {
            if (!await source.MoveNext(cancellationToken))
                return 0;
            _rest = source.Current.Data.Memory;
        }
        var count = Math.Min(buffer.Length, _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read it asynchronously");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
