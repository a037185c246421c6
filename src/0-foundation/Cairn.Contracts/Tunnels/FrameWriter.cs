using System.Buffers;

namespace Cairn.Contracts.Tunnels;

/// <summary>
/// The one way out of a tunnel. What many streams write while a write is under way goes out with the next: few records and few system
/// calls for many small frames. Who finds no room waits in line, so streams take turns. Who comes first to an idle tunnel writes
/// himself, without a change of thread.
/// </summary>
internal sealed class FrameWriter(Stream transport)
{
    /// <summary>The most data of one turn. With its headers it fills whole records of TLS.</summary>
    public const int MostData = FramesOfTurn * TunnelWire.MostPayload;

    private const int FramesOfTurn = 4;

    /// <summary>Data waits from here on; the rest of the buffer is for the last turn's data and for control frames.</summary>
    private const int EnoughBytes = 256 << 10;
    private const int BufferBytes = 512 << 10;
    private const int TurnsAtOnce = EnoughBytes / MostData;

    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _line = new();
    private byte[]? _filling; // none while nothing waits
    private int _filled;
    private bool _pumping;
    private Exception? _fault;

    /// <summary>Queues a control frame at once.</summary>
    /// <exception cref="IOException">The tunnel is broken, or its other end reads nothing.</exception>
    public void Send(uint stream, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        bool first;
        lock (_gate)
        {
            ThrowIfBroken();
            if (_filled + FrameHeader.Bytes + payload.Length > BufferBytes)
                Break(new IOException("the other end of the tunnel does not read"));
            ThrowIfBroken();
            first = Append(stream, kind, payload);
        }
        if (first)
            _ = PumpAsync();
    }

    /// <summary>Queues data, once there is room; at most <see cref="MostData"/>.</summary>
    /// <exception cref="IOException">The tunnel is broken.</exception>
    public async ValueTask SendAsync(uint stream, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        for (var called = false; ; called = true)
        {
            TaskCompletionSource? turn = null;
            var first = false;
            lock (_gate)
            {
                ThrowIfBroken();
                if (_filled < EnoughBytes && (called || _line.Count == 0))
                    first = AppendData(stream, data.Span);
                else
                    _line.Enqueue(turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            }
            if (turn is null)
            {
                if (first)
                    _ = PumpAsync();
                return;
            }
            await WaitAsync(turn, cancellationToken);
        }
    }

    /// <summary>Nothing is written any more; who waits fails.</summary>
    public void Fail(Exception fault)
    {
        lock (_gate)
            Break(fault);
    }

    private async Task WaitAsync(TaskCompletionSource turn, CancellationToken cancellationToken)
    {
        try
        {
            await turn.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // A turn that was given and is not taken is the next one's.
            if (!turn.TrySetCanceled(CancellationToken.None))
            {
                lock (_gate)
                    CallNext(1);
            }
            throw;
        }
    }

    private bool AppendData(uint stream, ReadOnlySpan<byte> data)
    {
        var first = false;
        while (!data.IsEmpty)
        {
            var count = Math.Min(data.Length, TunnelWire.MostPayload);
            first |= Append(stream, FrameKind.Data, data[..count]);
            data = data[count..];
        }
        return first;
    }

    private bool Append(uint stream, FrameKind kind, ReadOnlySpan<byte> payload)
    {
        _filling ??= ArrayPool<byte>.Shared.Rent(BufferBytes);
        new FrameHeader(stream, kind, payload.Length).Write(_filling.AsSpan(_filled));
        payload.CopyTo(_filling.AsSpan(_filled + FrameHeader.Bytes));
        _filled += FrameHeader.Bytes + payload.Length;
        var first = !_pumping;
        _pumping = true;
        return first;
    }

    private async Task PumpAsync()
    {
        try
        {
            for (var turn = 0; ; turn++)
            {
                // The first write is the caller's own; it does not go on to write what others bring.
                if (turn > 0 && IsIdle())
                    return;
                if (turn == 1)
                    await Task.Yield();
                var (buffer, length) = Swap();
                await transport.WriteAsync(buffer.AsMemory(0, length));
                await transport.FlushAsync();
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException
            or OperationCanceledException)
        {
            Fail(error);
        }
    }

    private bool IsIdle()
    {
        lock (_gate)
        {
            if (_filled > 0)
                return false;
            _pumping = false;
            return true;
        }
    }

    private (byte[] Buffer, int Length) Swap()
    {
        lock (_gate)
        {
            var full = (_filling!, _filled);
            (_filling, _filled) = (null, 0);
            CallNext(TurnsAtOnce);
            return full;
        }
    }

    private void CallNext(int count)
    {
        while (count > 0 && _line.TryDequeue(out var turn))
        {
            if (turn.TrySetResult())
                count--;
        }
    }

    private void Break(Exception fault)
    {
        _fault ??= fault;
        CallNext(int.MaxValue);
    }

    private void ThrowIfBroken()
    {
        if (_fault is not null)
            throw new IOException("the tunnel is broken: " + _fault.Message, _fault);
    }
}
