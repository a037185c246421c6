using System.Buffers.Binary;
using System.Text;

namespace Cairn.Frameworks.Tests.Gguf;

/// <summary>Reads GGUF as its specification describes it, knowing nothing of what wrote it.</summary>
internal sealed class GgufReading
{
    private readonly byte[] _bytes;
    private readonly long _data;
    private int _at;

    public GgufReading(string path)
    {
        _bytes = File.ReadAllBytes(path);
        Assert.Equal("GGUF"u8.ToArray(), _bytes[..4]);
        _at = 4;
        Assert.Equal(3u, Number32());
        var (tensors, keys) = (Number64(), Number64());
        for (var i = 0L; i < keys; i++)
            Keys.Add(Text(), Value(Number32()));
        for (var i = 0L; i < tensors; i++)
        {
            var name = Text();
            var dimensions = Enumerable.Range(0, (int)Number32()).Select(_ => Number64()).ToArray();
            Tensors.Add(name, (dimensions, Number32(), Number64()));
        }

        _data = (_at + 31) / 32 * 32;
    }

    public Dictionary<string, object> Keys { get; } = [];

    /// <summary>Dimensions with the innermost first, type, offset in the data.</summary>
    public Dictionary<string, (long[] Dimensions, uint Type, long Offset)> Tensors { get; } = [];

    public int Length => _bytes.Length;

    /// <summary>The numbers of a tensor of type 0, F32, or 2, Q4_0.</summary>
    public float[] Floats(string name)
    {
        var (dimensions, type, offset) = Tensors[name];
        Assert.Equal(0, offset % 32);
        var numbers = new float[dimensions.Aggregate(1L, (a, b) => a * b)];
        var from = _bytes.AsSpan((int)(_data + offset));
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = type == 0 ? BinaryPrimitives.ReadSingleLittleEndian(from[(i * 4)..]) : FourBits(from[(i / 32 * 18)..], i % 32);
        return numbers;
    }

    private static float FourBits(ReadOnlySpan<byte> block, int index)
    {
        var packed = block[2 + (index % 16)];
        return (float)BinaryPrimitives.ReadHalfLittleEndian(block) * ((index < 16 ? packed & 15 : packed >> 4) - 8);
    }

    private object Value(uint type) => type switch
    {
        4 => Number32(),
        5 => (int)Number32(),
        6 => BitConverter.UInt32BitsToSingle(Number32()),
        7 => _bytes[_at++] != 0,
        8 => Text(),
        9 => List(Number32(), Number64()),
        _ => throw new InvalidOperationException($"type {type}"),
    };

    private object[] List(uint type, long count)
    {
        var values = new object[count];
        for (var i = 0L; i < count; i++)
            values[i] = Value(type);
        return values;
    }

    private string Text()
    {
        var length = (int)Number64();
        _at += length;
        return Encoding.UTF8.GetString(_bytes, _at - length, length);
    }

    private uint Number32() => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan((_at += 4) - 4));

    private long Number64() => BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan((_at += 8) - 8));
}
