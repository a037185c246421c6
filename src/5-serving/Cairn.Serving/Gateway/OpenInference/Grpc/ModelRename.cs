using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Cairn.Serving.Gateway.OpenInference.Grpc;

/// <summary>
/// gRPC's messages on their way to a replica: each is five bytes (a flag for packing and the length) and a protobuf message, of which only the model's name is read and replaced
/// by the replica's. The rest goes through as it came, in whatever pieces; held back is only what stands before the name. Pure.
/// </summary>
internal sealed class ModelRename(uint field, string asked, string upstream)
{
    /// <summary>Bytes of a message before its model's name has ended, at most: writers put fields in their order, and tensors come after.</summary>
    public const int MostHeadBytes = 64 << 10;

    public const int PrefixBytes = 5;
    private const int MostNameBytes = 1024;
    private readonly byte[] _asked = Encoding.UTF8.GetBytes(asked);
    private readonly byte[] _upstream = Encoding.UTF8.GetBytes(upstream);
    private readonly ArrayBufferWriter<byte> _head = new(256);
    private FieldWalk _walk = new(field);
    private uint _length;
    private bool _named;

    /// <summary>Messages whose model is known.</summary>
    public long Messages { get; private set; }

    /// <summary>Why it cannot go on; null where it can.</summary>
    public GrpcFault? Fault { get; private set; }

    /// <summary>Whether a message has begun and not ended.</summary>
    public bool IsWithin => _head.WrittenCount > 0 || _named;

    /// <summary>The model that the first message names, as far as its bytes came.</summary>
    /// <returns>The name; a fault; or neither where more bytes are needed.</returns>
    public static (string? Model, GrpcFault? Fault) Peek(ReadOnlySpan<byte> bytes, uint field)
    {
        if (bytes.Length < PrefixBytes)
            return (null, null);
        if (bytes[0] != 0)
            return (null, GrpcFault.Packed);
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]);
        var message = bytes.Slice(PrefixBytes, (int)Math.Min(length, (uint)(bytes.Length - PrefixBytes)));
        var walk = new FieldWalk(field);
        if (!walk.Feed(message[..Math.Min(message.Length, MostHeadBytes)]))
            return (null, GrpcFault.NoMessage);
        if (walk.Found && walk.FieldEnd - walk.TextStart is > 0 and <= MostNameBytes)
            return (Encoding.UTF8.GetString(message[(int)walk.TextStart..(int)walk.FieldEnd]), null);
        if (walk.Found)
            return (null, GrpcFault.NoModel);
        return message.Length == length || message.Length >= MostHeadBytes ? (null, GrpcFault.NoModel) : (null, null);
    }

    /// <summary>Takes the next bytes, and writes those that can go on.</summary>
    /// <returns>False where there is a <see cref="Fault"/>.</returns>
    public bool Feed(ReadOnlySpan<byte> bytes, IBufferWriter<byte> target)
    {
        while (!bytes.IsEmpty && Fault is null)
            bytes = _named ? Rest(bytes, target) : Head(bytes, target);
        return Fault is null;
    }

    private ReadOnlySpan<byte> Rest(ReadOnlySpan<byte> bytes, IBufferWriter<byte> target)
    {
        var count = (int)Math.Min(bytes.Length, _length - _walk.Position);
        var piece = bytes[..count];
        if (!_walk.Feed(piece))
            Fault = GrpcFault.NoMessage;
        else
            target.Write(piece);
        EndWhereDone();
        return bytes[count..];
    }

    private ReadOnlySpan<byte> Head(ReadOnlySpan<byte> bytes, IBufferWriter<byte> target)
    {
        if (_head.WrittenCount < PrefixBytes)
        {
            var first = bytes[..Math.Min(bytes.Length, PrefixBytes - _head.WrittenCount)];
            _head.Write(first);
            if (_head.WrittenCount == PrefixBytes)
                Begin();
            return bytes[first.Length..];
        }
        var count = (int)Math.Min(Math.Min(bytes.Length, _length - _walk.Position), MostHeadBytes - (_head.WrittenCount - PrefixBytes));
        _head.Write(bytes[..count]);
        if (!_walk.Feed(bytes[..count]))
            Fault = GrpcFault.NoMessage;
        else if (_walk.Found)
            Name(target);
        else if (_walk.Position == _length || _walk.Position == MostHeadBytes)
            Fault = GrpcFault.NoModel;
        return bytes[count..];
    }

    private void Begin()
    {
        _length = BinaryPrimitives.ReadUInt32BigEndian(_head.WrittenSpan[1..]);
        if (_head.WrittenSpan[0] != 0)
            Fault = GrpcFault.Packed;
        else if (_length == 0)
            Fault = GrpcFault.NoModel;
    }

    private void Name(IBufferWriter<byte> target)
    {
        var message = _head.WrittenSpan[PrefixBytes..];
        var (start, text, end) = ((int)_walk.FieldStart, (int)_walk.TextStart, (int)_walk.FieldEnd);
        if (!message[text..end].SequenceEqual(_asked))
        {
            Fault = GrpcFault.OtherModel;
            return;
        }
        Span<byte> tag = stackalloc byte[10];
        var tagBytes = Varint(tag, field << 3 | 2);
        tagBytes += Varint(tag[tagBytes..], (uint)_upstream.Length);
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        prefix[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(prefix[1..], (uint)(_length - (end - start) + tagBytes + _upstream.Length));
        target.Write(prefix);
        target.Write(message[..start]);
        target.Write(tag[..tagBytes]);
        target.Write(_upstream);
        target.Write(message[end..]);
        _head.ResetWrittenCount();
        _named = true;
        Messages++;
        EndWhereDone();
    }

    private void EndWhereDone()
    {
        if (Fault is not null || _walk.Position < _length)
            return;
        if (!_walk.AtEnd)
            Fault = GrpcFault.NoMessage;
        _walk = new FieldWalk(field);
        _named = false;
    }

    private static int Varint(Span<byte> target, uint number)
    {
        var count = 0;
        for (; number >= 0x80; number >>= 7)
            target[count++] = (byte)(number | 0x80);
        target[count++] = (byte)number;
        return count;
    }
}

/// <summary>Why a message cannot be passed on.</summary>
internal enum GrpcFault
{
    /// <summary>It is compressed as a whole, so its model's name is not to be seen.</summary>
    Packed,

    /// <summary>It is no protobuf message, or names its model twice.</summary>
    NoMessage,

    /// <summary>No model is named, or only behind what is large.</summary>
    NoModel,

    /// <summary>A later message of a stream names another model than the first.</summary>
    OtherModel,
}
