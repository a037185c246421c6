using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using Google.Protobuf;

namespace Cairn.Frameworks.Engine.Decoding;

/// <summary>
/// Skims an ONNX file without reading its weights: which nodes keep keys and values in place, and whether all external data is there. A
/// model's file may hold 2 GiB of weights, of which loading should make one copy and not two.
/// </summary>
internal sealed class GraphFile
{
    private const int GraphField = 7;
    private const int NodeField = 1;
    private const int InitializerField = 5;

    /// <summary>A tensor whose data is elsewhere is described in less than this.</summary>
    private const int LargestDescription = 1 << 16;
    private const int LargestNode = 64 << 20;

    private readonly string _path;
    private readonly HashSet<string> _shared = new(StringComparer.Ordinal);
    private readonly Dictionary<long, int> _quantized = [];
    private bool _hasNodes;

    private GraphFile(string path) => _path = path;

    /// <summary>
    /// Whether the past input of that name is updated in place by a GroupQueryAttention node when past and present are one buffer.
    /// </summary>
    public bool SharesBuffer(string past) => _shared.Contains(past);

    /// <summary>Bits of a weight in most products whose weights are quantised; null where none are.</summary>
    public int? QuantizedBits => _quantized.Count == 0 ? null : (int)_quantized.MaxBy(bits => bits.Value).Key;

    /// <exception cref="OnnxFormatException">No ONNX model, or external data is missing or too short.</exception>
    public static GraphFile Skim(string path)
    {
        var file = new GraphFile(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        file.Message(stream, stream.Length, (field, length) => field == GraphField && file.Graph(stream, length));
        return file._hasNodes ? file : throw new OnnxFormatException($"{path}: no ONNX model: no graph with nodes in it");
    }

    private bool Graph(FileStream stream, long length)
    {
        Message(stream, length, (field, size) => field switch
        {
            NodeField => Node(Read(stream, size, LargestNode)),
            InitializerField when size <= LargestDescription => Tensor(Read(stream, size, LargestDescription)),
            _ => false,
        });
        return true;
    }

    private bool Node(byte[] bytes)
    {
        _hasNodes = true;
        var node = Parse(NodeProto.Parser, bytes);
        if (node.OpType == "GroupQueryAttention" && node.Input.Count > 4 && node.Output.Count > 2)
        {
            _shared.Add(node.Input[3]);
            _shared.Add(node.Input[4]);
        }
        else if (node.OpType == "MatMulNBits" && node.Attribute.FirstOrDefault(attribute => attribute.Name == "bits")?.I is { } bits and > 0 and <= 64)
        {
            _quantized[bits] = _quantized.GetValueOrDefault(bits) + 1;
        }
        return true;
    }

    private bool Tensor(byte[] bytes)
    {
        var tensor = Parse(TensorProto.Parser, bytes);
        if (ExternalData.Holds(tensor))
            ExternalData.Locate(tensor, _path);
        return true;
    }

    private T Parse<T>(MessageParser<T> parser, byte[] bytes) where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new OnnxFormatException($"{_path}: no whole ONNX model: {error.Message}", error);
        }
    }

    // A field that nobody takes is passed over without being read.
    private void Message(FileStream stream, long length, Func<int, long, bool> take)
    {
        var end = stream.Position + length;
        while (stream.Position < end)
        {
            var tag = Varint(stream);
            var size = (int)(tag & 7) switch
            {
                0 => Varint(stream) is var _ ? 0L : 0L,
                1 => 8L,
                2 => checked((long)Varint(stream)),
                5 => 4L,
                var type => throw new OnnxFormatException($"{_path}: no ONNX model: wire type {type} at byte {stream.Position}"),
            };
            if (size > end - stream.Position)
                throw new OnnxFormatException(
                    $"{_path}: is truncated: a field at byte {stream.Position} has {size} bytes, {end - stream.Position} are left");
            if ((tag & 7) != 2 || !take((int)(tag >> 3), size))
                stream.Seek(size, SeekOrigin.Current);
        }
    }

    private byte[] Read(FileStream stream, long size, int most)
    {
        if (size > most)
            throw new OnnxFormatException($"{_path}: a node of {size} bytes; expected at most {most}");
        var bytes = new byte[size];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private ulong Varint(FileStream stream)
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = stream.ReadByte();
            if (next < 0)
                throw new OnnxFormatException($"{_path}: is truncated at byte {stream.Position}");
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value & long.MaxValue;
        }
        throw new OnnxFormatException($"{_path}: no ONNX model: a number without an end at byte {stream.Position}");
    }
}
