using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Cairn.Serving.Gateway.Bodies;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Gateway.OpenInference.Grpc;

/// <summary>A client's messages on their way to a replica: those that are kept, then the rest as it comes. Sent while the answer is read already.</summary>
/// <param name="start">What was read before the replica was known.</param>
/// <param name="rest">What follows; null where that was all.</param>
/// <param name="another">Asked before every message of a stream but the first; tells why it may not go on.</param>
internal sealed class GrpcContent(RequestBody start, PipeReader? rest, ModelRename rename, Func<CallError?> another) : HttpContent
{
    private const int PieceBytes = 64 << 10;
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _counted;
    private bool _began;

    /// <summary>Why the client's messages could not go on; null where they could.</summary>
    public CallError? Refusal { get; private set; }

    /// <summary>Whether some of the rest was taken, so that it cannot be sent again.</summary>
    public bool TookRest { get; private set; }

    /// <summary>Stops taking the client's messages, and ends when nothing reads them any more.</summary>
    public Task StopAsync()
    {
        if (!_began)
            return Task.CompletedTask;
        if (!_done.Task.IsCompleted)
            rest?.CancelPendingRead();
        return _done.Task;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _began = true;
        try
        {
            // Without the headers on their way a replica that answers first would never be heard.
            await stream.FlushAsync(cancellationToken);
            var target = new ArrayBufferWriter<byte>(PieceBytes);
            for (var at = 0; at < start.Length; at += PieceBytes)
                await SendAsync(start.Bytes[at..Math.Min(start.Length, at + PieceBytes)], target, stream, cancellationToken);
            if (rest is not null)
                await SendRestAsync(rest, target, stream, cancellationToken);
            if (rename.IsWithin)
                Refuse(GrpcAnswers.ErrorOf(GrpcFault.NoMessage));
        }
        finally
        {
            _done.TrySetResult();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = -1;
        return false;
    }

    private async Task SendRestAsync(PipeReader reader, ArrayBufferWriter<byte> target, Stream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            if (read.IsCanceled)
                throw new OperationCanceledException("The answer has ended before the request.");
            TookRest = true;
            foreach (var piece in read.Buffer)
                await SendAsync(piece, target, stream, cancellationToken);
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return;
        }
    }

    private async Task SendAsync(ReadOnlyMemory<byte> piece, ArrayBufferWriter<byte> target, Stream stream, CancellationToken cancellationToken)
    {
        if (!rename.Feed(piece.Span, target))
            Refuse(GrpcAnswers.ErrorOf(rename.Fault!.Value));
        for (; _counted < rename.Messages; _counted++)
        {
            if (_counted > 0 && another() is { } refusal)
                Refuse(refusal);
        }
        if (target.WrittenCount == 0)
            return;
        await stream.WriteAsync(target.WrittenMemory, cancellationToken);
        await stream.FlushAsync(cancellationToken);
        target.ResetWrittenCount();
    }

    /// <summary>Breaks the request off, so that the replica does not take what came for all there is.</summary>
    private void Refuse(CallError error)
    {
        Refusal = error;
        throw new IOException(error.Message);
    }
}
