using System.Diagnostics;
using Cairn.Frameworks.Engine.Batching;
using Microsoft.ML.OnnxRuntime;

namespace Cairn.Frameworks.Engine.Decoding;

/// <summary>
/// A decoder whose graph gives back its cache with the new tokens appended: every run makes new tensors and copies the old ones into them,
/// and every row has a run of its own, since the graph wants all pasts of a run equally long.
/// </summary>
internal sealed unsafe class AppendedCacheDecoder : IDecoder
{
    private readonly DecoderSession _session;
    private readonly OrtIoBinding _binding;
    private readonly OrtValue[]?[] _rows;
    private readonly NativeBuffer _nothing = new(1);
    private readonly int _tokenBytes;
    private readonly int _heads;
    private float[] _logits = [];

    /// <param name="session">Becomes the decoder's own.</param>
    /// <param name="model">For messages.</param>
    public AppendedCacheDecoder(DecoderSession session, string model)
    {
        _session = session;
        _binding = session.Session.CreateIoBinding();
        _rows = new OrtValue[session.Rows][];
        _heads = session.Layout.KeyValueHeads;
        _tokenBytes = session.Layout.HeadSize * session.Layout.CacheElementBytes;
        var made = Bind(0, [0, 0], 0);
        session.Learn(_binding, 2, model);
        Release(made);
    }

    public int VocabularySize => _session.VocabularySize;

    public int BlockBytes => _session.Layout.Cache.Count * _heads * BlockKey.Tokens * _tokenBytes;

    public Span<float> Prefill(int row, ReadOnlySpan<int> tokens, int past)
    {
        Debug.Assert(LengthOf(row) == past, "a run continues what its row holds");
        var made = Bind(row, tokens, past);
        _session.BindLogits(_binding, 1, tokens.Length);
        _session.Session.RunWithBinding(_session.Options, _binding);
        Empty(row);
        _rows[row] = made;
        return _session.ReadLogits(1, tokens.Length);
    }

    public Span<float> Decode(ReadOnlySpan<int> tokens, ReadOnlySpan<int> pasts)
    {
        if (_logits.Length < tokens.Length * VocabularySize)
            _logits = new float[tokens.Length * VocabularySize];
        for (var row = 0; row < tokens.Length; row++)
            Prefill(row, tokens.Slice(row, 1), pasts[row]).CopyTo(_logits.AsSpan(row * VocabularySize));
        return _logits.AsSpan(0, tokens.Length * VocabularySize);
    }

    public void Swap(RowSwap swap)
    {
        (_rows[swap.A], _rows[swap.B]) = (_rows[swap.B], _rows[swap.A]);
        if (swap.LengthA == 0)
            Empty(swap.B);
        if (swap.LengthB == 0)
            Empty(swap.A);
    }

    public void Save(int row, int start, Span<byte> block)
    {
        var length = LengthOf(row);
        var bytes = BlockKey.Tokens * _tokenBytes;
        foreach (var value in _rows[row]!)
            for (var head = 0; head < _heads; head++)
            {
                new ReadOnlySpan<byte>(DataOf(value) + ((long)head * length + start) * _tokenBytes, bytes).CopyTo(block);
                block = block[bytes..];
            }
    }

    public void Restore(int row, int start, ReadOnlySpan<int> slots, NativeBuffer pool)
    {
        var made = Allocate(start + slots.Length * BlockKey.Tokens);
        var bytes = BlockKey.Tokens * _tokenBytes;
        for (var i = 0; i < made.Length; i++)
            for (var head = 0; head < _heads; head++)
            {
                var to = DataOf(made[i]) + (long)head * (start + slots.Length * BlockKey.Tokens) * _tokenBytes;
                var held = (long)start * _tokenBytes;
                if (start > 0)
                    Buffer.MemoryCopy(DataOf(_rows[row]![i]) + (long)head * LengthOf(row) * _tokenBytes, to, held, held);
                to += held;
                foreach (var slot in slots)
                {
                    Buffer.MemoryCopy(pool.Start + (long)slot * BlockBytes + ((long)i * _heads + head) * bytes, to, bytes, bytes);
                    to += bytes;
                }
            }
        Empty(row);
        _rows[row] = made;
    }

    public void Empty(int row)
    {
        if (_rows[row] is { } held)
            Release(held);
        _rows[row] = null;
    }

    public void Dispose()
    {
        for (var row = 0; row < _rows.Length; row++)
            Empty(row);
        _binding.Dispose();
        _session.Dispose();
        _nothing.Dispose();
    }

    private OrtValue[] Bind(int row, ReadOnlySpan<int> tokens, int past)
    {
        var ids = _session.Ids(tokens.Length);
        var positions = _session.Positions(tokens.Length);
        for (var i = 0; i < tokens.Length; i++)
            (ids[i], positions[i]) = (tokens[i], past + i);
        _session.Mask(past + tokens.Length).Fill(1);
        _session.BindTokens(_binding, 1, tokens.Length, past + tokens.Length);
        var made = Allocate(past + tokens.Length);
        for (var i = 0; i < made.Length; i++)
        {
            BindPast(_session.Layout.Cache[i].Past, _rows[row]?[i]);
            _binding.BindOutput(_session.Layout.Cache[i].Present, made[i]);
        }
        return made;
    }

    private void BindPast(string name, OrtValue? past)
    {
        if (past is not null)
        {
            _binding.BindInput(name, past);
            return;
        }
        using var empty = OrtValue.CreateTensorValueWithData(
            _session.Memory, _session.Layout.CacheType, [1, _heads, 0, _session.Layout.HeadSize], (nint)_nothing.Start, 0);
        _binding.BindInput(name, empty);
    }

    private OrtValue[] Allocate(int length)
    {
        var layout = _session.Layout;
        var made = new OrtValue[layout.Cache.Count];
        for (var i = 0; i < made.Length; i++)
            made[i] = OrtValue.CreateAllocatedTensorValue(
                OrtAllocator.DefaultInstance, layout.CacheType, [1, _heads, length, layout.HeadSize]);
        return made;
    }

    private int LengthOf(int row) => _rows[row] is { } held ? (int)held[0].GetTensorTypeAndShape().Shape[2] : 0;

    private static byte* DataOf(OrtValue value)
    {
        fixed (byte* start = value.GetTensorMutableRawData())
            return start; // the tensor's own memory, outside the collected heap
    }

    private static void Release(OrtValue[] values)
    {
        foreach (var value in values)
            value.Dispose();
    }
}
