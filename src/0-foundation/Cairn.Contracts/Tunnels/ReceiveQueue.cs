using System.Buffers;
using System.Diagnostics;

namespace Cairn.Contracts.Tunnels;

/// <summary>
/// Bytes that have arrived and were not read, in pooled pieces. Small arrivals share a piece, so that what is held is never much more than
/// what has arrived. Its owner locks.
/// </summary>
internal sealed class ReceiveQueue
{
    private const int LeastPiece = 4 << 10;
    private readonly Queue<Piece> _pieces = new();
    private Piece? _last;

    public int Length { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        if (_last is not null)
        {
            var fits = Math.Min(bytes.Length, _last.Buffer.Length - _last.End);
            bytes[..fits].CopyTo(_last.Buffer.AsSpan(_last.End));
            _last.End += fits;
            bytes = bytes[fits..];
        }
        if (bytes.IsEmpty)
            return;
        _last = new Piece(ArrayPool<byte>.Shared.Rent(Math.Max(LeastPiece, bytes.Length)));
        bytes.CopyTo(_last.Buffer);
        _last.End = bytes.Length;
        _pieces.Enqueue(_last);
    }

    public int Read(Span<byte> target)
    {
        var read = 0;
        while (read < target.Length && _pieces.TryPeek(out var piece))
        {
            var count = Math.Min(target.Length - read, piece.End - piece.Start);
            piece.Buffer.AsSpan(piece.Start, count).CopyTo(target[read..]);
            piece.Start += count;
            read += count;
            if (piece.Start == piece.End)
                Drop();
        }
        Length -= read;
        Debug.Assert(Length >= 0 && (Length == 0) == (_pieces.Count == 0), "the pieces hold what the length says");
        return read;
    }

    /// <summary>Takes all there is, piece by piece; whoever takes them gives them back, see <see cref="Return"/>.</summary>
    public void TakeAll(IList<ArraySegment<byte>> taken)
    {
        foreach (var piece in _pieces)
            taken.Add(new ArraySegment<byte>(piece.Buffer, piece.Start, piece.End - piece.Start));
        _pieces.Clear();
        (_last, Length) = (null, 0);
    }

    /// <summary>Drops the first bytes of pieces that were taken; those that are empty then are given back.</summary>
    public static void Return(List<ArraySegment<byte>> taken, int bytes)
    {
        var whole = 0;
        while (whole < taken.Count && bytes >= taken[whole].Count)
        {
            bytes -= taken[whole].Count;
            ArrayPool<byte>.Shared.Return(taken[whole++].Array!);
        }
        taken.RemoveRange(0, whole);
        if (bytes > 0)
            taken[0] = taken[0][bytes..];
    }

    public void Clear()
    {
        while (_pieces.Count > 0)
            Drop();
        Length = 0;
    }

    private void Drop()
    {
        var piece = _pieces.Dequeue();
        if (ReferenceEquals(piece, _last))
            _last = null;
        ArrayPool<byte>.Shared.Return(piece.Buffer);
    }

    private sealed class Piece(byte[] buffer)
    {
        public byte[] Buffer { get; } = buffer;

        public int Start { get; set; }

        public int End { get; set; }
    }
}
