using System.Buffers.Binary;
using System.Text;

namespace Cairn.Frameworks.Gguf;

/// <summary>
/// Writes GGUF, llama.cpp's model format, version 3 (github.com/ggml-org/ggml, docs/gguf.md): a header, keys with values, a table of
/// tensors, and their data, each at a multiple of 32 bytes. Little-endian. Tensors are asked for one at a time, so that a model larger
/// than memory can be written.
/// </summary>
internal sealed class GgufFile
{
    private const uint Version = 3;
    private const int Alignment = 32;

    private readonly MemoryStream _keys = new();
    private readonly List<GgufTensor> _tensors = [];
    private ulong _keyCount;

    // The numbers of gguf_metadata_value_type.
    private enum Kind : uint
    {
        UInt32 = 4,
        Int32 = 5,
        Float32 = 6,
        Bool = 7,
        String = 8,
        Array = 9,
    }

    public void Add(string key, uint value) => Number(Key(key, Kind.UInt32), value);

    public void Add(string key, bool value) => Key(key, Kind.Bool).WriteByte(value ? (byte)1 : (byte)0);

    public void Add(string key, float value) => Number(Key(key, Kind.Float32), BitConverter.SingleToUInt32Bits(value));

    public void Add(string key, string value) => Text(Key(key, Kind.String), value);

    public void Add(string key, IReadOnlyCollection<string> values)
    {
        Array(key, Kind.String, values.Count);
        foreach (var value in values)
            Text(_keys, value);
    }

    public void Add(string key, IReadOnlyCollection<int> values)
    {
        Array(key, Kind.Int32, values.Count);
        foreach (var value in values)
            Number(_keys, unchecked((uint)value));
    }

    public void Add(GgufTensor tensor) => _tensors.Add(tensor);

    /// <summary>Writes the file; one that is there already is replaced.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path, CancellationToken cancellationToken)
    {
        using var file = File.Create(path);
        file.Write("GGUF"u8);
        Number(file, Version);
        Number(file, (ulong)_tensors.Count);
        Number(file, _keyCount);
        _keys.WriteTo(file);
        var offset = 0L;
        foreach (var tensor in _tensors)
        {
            WriteEntry(file, tensor, offset);
            offset = Aligned(offset + tensor.Bytes);
        }

        foreach (var tensor in _tensors)
        {
            cancellationToken.ThrowIfCancellationRequested();
            file.Write(new byte[Aligned(file.Position) - file.Position]);
            tensor.Write(file);
        }

        file.Write(new byte[Aligned(file.Position) - file.Position]);
    }

    private static void WriteEntry(Stream file, GgufTensor tensor, long offset)
    {
        Text(file, tensor.Name);
        Number(file, (uint)(tensor.Rows == 0 ? 1 : 2));
        // The innermost dimension comes first.
        Number(file, (ulong)tensor.Columns);
        if (tensor.Rows > 0)
            Number(file, (ulong)tensor.Rows);
        Number(file, (uint)tensor.Type);
        Number(file, (ulong)offset);
    }

    private static long Aligned(long position) => (position + Alignment - 1) / Alignment * Alignment;

    private MemoryStream Key(string key, Kind kind)
    {
        _keyCount++;
        Text(_keys, key);
        Number(_keys, (uint)kind);
        return _keys;
    }

    private void Array(string key, Kind of, int count)
    {
        Key(key, Kind.Array);
        Number(_keys, (uint)of);
        Number(_keys, (ulong)count);
    }

    private static void Text(Stream stream, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Number(stream, (ulong)bytes.Length);
        stream.Write(bytes);
    }

    private static void Number(Stream stream, uint number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
        stream.Write(bytes);
    }

    private static void Number(Stream stream, ulong number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, number);
        stream.Write(bytes);
    }
}
