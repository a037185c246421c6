using System.Buffers.Binary;

namespace Cairn.Frameworks.Gguf;

/// <summary>How a tensor's numbers are kept; the numbers of llama.cpp's ggml_type.</summary>
internal enum GgufType
{
    /// <summary>Single precision.</summary>
    F32 = 0,

    /// <summary>4 bits in blocks of 32 with one half-precision scale: 4.5 bits a weight.</summary>
    Q4Block32 = 2,
}

/// <summary>One tensor of a file.</summary>
/// <param name="Name">By llama.cpp's naming.</param>
/// <param name="Rows">0 for a vector.</param>
/// <param name="Columns">The length of a row; a multiple of 32 where it is quantised.</param>
/// <param name="Type">How it is written.</param>
/// <param name="Read">Gives the numbers, row by row. Asked once, when they are written.</param>
internal sealed record GgufTensor(string Name, int Rows, int Columns, GgufType Type, Func<float[]> Read)
{
    /// <summary>A block of Q4_0: the scale, and 32 numbers of half a byte.</summary>
    private const int BlockLength = 32, BlockBytes = 2 + (BlockLength / 2);

    public long Bytes => (long)Math.Max(1, Rows) * (Type == GgufType.F32 ? Columns * sizeof(float) : Columns / BlockLength * BlockBytes);

    public void Write(Stream stream)
    {
        var numbers = Read();
        if (numbers.Length != (long)Math.Max(1, Rows) * Columns)
            throw new ArgumentException($"The tensor {Name} has {numbers.Length} numbers; expected {Math.Max(1, Rows)} × {Columns}.");
        var bytes = new byte[Columns / BlockLength * BlockBytes];
        for (var start = 0; start < numbers.Length; start += Columns)
        {
            var row = numbers.AsSpan(start, Columns);
            if (Type == GgufType.F32)
            {
                WriteSingles(stream, row);
                continue;
            }

            for (var block = 0; block < Columns / BlockLength; block++)
                Quantize(row.Slice(block * BlockLength, BlockLength), bytes.AsSpan(block * BlockBytes, BlockBytes));
            stream.Write(bytes);
        }
    }

    /// <summary>
    /// As llama.cpp's reference does (ggml-quants.c, quantize_row_q4_0_ref): the number of largest magnitude becomes -8 exactly, the others
    /// are rounded on that scale; the first half of the block lies in the low halves of the bytes.
    /// </summary>
    private static void Quantize(ReadOnlySpan<float> block, Span<byte> into)
    {
        var extreme = 0f;
        foreach (var number in block)
        {
            if (Math.Abs(number) > Math.Abs(extreme))
                extreme = number;
        }

        var scale = extreme / -8;
        BinaryPrimitives.WriteHalfLittleEndian(into, (Half)scale);
        var inverse = scale == 0 ? 0 : 1 / scale;
        for (var i = 0; i < BlockLength / 2; i++)
            into[2 + i] = (byte)(Level(block[i] * inverse) | (Level(block[i + (BlockLength / 2)] * inverse) << 4));
    }

    private static int Level(float scaled) => Math.Min(15, (int)(scaled + 8.5f));

    private static void WriteSingles(Stream stream, ReadOnlySpan<float> numbers)
    {
        var bytes = new byte[numbers.Length * sizeof(float)];
        for (var i = 0; i < numbers.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), numbers[i]);
        stream.Write(bytes);
    }
}
