using Cairn.Frameworks.Engine.Batching;
using Microsoft.ML.OnnxRuntime;

namespace Cairn.Frameworks.Engine.Decoding;

/// <summary>
/// A decoder whose attention updates its cache in place: one slab [rows, heads, context, head size] for each layer's keys and one for its
/// values, of which a run sees a range of rows, bound as past and as present.
/// </summary>
internal sealed unsafe class SharedCacheDecoder : IDecoder
{
    /// <summary>A decode step's mask grows in such strides, so that it is bound anew once in as many steps.</summary>
    private const int MaskStride = 128;

    private readonly DecoderSession _session;
    private readonly NativeBuffer[] _slabs;
    private readonly Bound?[] _prefill;
    private readonly Bound?[] _decode;
    private readonly bool _givesBack;
    private readonly int _tokenBytes;
    private readonly long _headBytes;
    private readonly long _rowBytes;
    private readonly int _heads;

    /// <param name="session">Becomes the decoder's own.</param>
    /// <param name="model">For messages.</param>
    /// <param name="givesBack">Whether an emptied row's memory is given back to the machine.</param>
    public SharedCacheDecoder(DecoderSession session, string model, bool givesBack)
    {
        _session = session;
        _givesBack = givesBack;
        var layout = session.Layout;
        _heads = layout.KeyValueHeads;
        _tokenBytes = layout.HeadSize * layout.CacheElementBytes;
        _headBytes = (long)session.ContextLength * _tokenBytes;
        _rowBytes = _heads * _headBytes;
        _slabs = [.. layout.Cache.Select(_ => new NativeBuffer(session.Rows * _rowBytes))];
        _prefill = new Bound?[session.Rows];
        _decode = new Bound?[session.Rows + 1];
        Fill([0, 0], 0);
        session.BindTokens(PrefillOf(0).Binding, 1, 2, 2);
        session.Learn(PrefillOf(0).Binding, 2, model);
    }

    public int VocabularySize => _session.VocabularySize;

    public int BlockBytes => _slabs.Length * _heads * BlockKey.Tokens * _tokenBytes;

    public Span<float> Prefill(int row, ReadOnlySpan<int> tokens, int past)
    {
        var bound = PrefillOf(row);
        Fill(tokens, past);
        _session.BindTokens(bound.Binding, 1, tokens.Length, past + tokens.Length);
        _session.BindLogits(bound.Binding, 1, tokens.Length);
        _session.Session.RunWithBinding(_session.Options, bound.Binding);
        return _session.ReadLogits(1, tokens.Length);
    }

    public Span<float> Decode(ReadOnlySpan<int> tokens, ReadOnlySpan<int> pasts)
    {
        var batch = tokens.Length;
        var bound = _decode[batch] ??= new Bound(this, 0, batch);
        var longest = 0;
        foreach (var past in pasts)
            longest = Math.Max(longest, past + 1);
        var width = Math.Min(_session.ContextLength, (longest + MaskStride - 1) / MaskStride * MaskStride);
        FillStep(tokens, pasts, width);
        if (bound.MaskWidth != width || bound.LogitsMoved != _session.LogitsMoved)
        {
            _session.BindTokens(bound.Binding, batch, 1, width);
            _session.BindLogits(bound.Binding, batch, 1);
            (bound.MaskWidth, bound.LogitsMoved) = (width, _session.LogitsMoved);
        }
        _session.Session.RunWithBinding(_session.Options, bound.Binding);
        return _session.ReadLogits(batch, 1);
    }

    public void Swap(RowSwap swap)
    {
        var longest = Math.Max(swap.LengthA, swap.LengthB) * _tokenBytes;
        Span<byte> held = swap is { LengthA: > 0, LengthB: > 0 } ? new byte[longest] : [];
        foreach (var slab in _slabs)
            for (var head = 0; head < _heads; head++)
            {
                var a = new Span<byte>(slab.Start + swap.A * _rowBytes + head * _headBytes, longest);
                var b = new Span<byte>(slab.Start + swap.B * _rowBytes + head * _headBytes, longest);
                if (held.Length > 0)
                    a.CopyTo(held);
                if (swap.LengthB > 0)
                    b.CopyTo(a);
                else
                    a.CopyTo(b);
                held.CopyTo(b);
            }
    }

    public void Save(int row, int start, Span<byte> block)
    {
        foreach (var slab in _slabs)
            for (var head = 0; head < _heads; head++)
            {
                var bytes = BlockKey.Tokens * _tokenBytes;
                new ReadOnlySpan<byte>(slab.Start + row * _rowBytes + head * _headBytes + (long)start * _tokenBytes, bytes).CopyTo(block);
                block = block[bytes..];
            }
    }

    public void Restore(int row, int start, ReadOnlySpan<int> slots, NativeBuffer pool)
    {
        var bytes = BlockKey.Tokens * _tokenBytes;
        foreach (var slot in slots)
        {
            var from = pool.Start + (long)slot * BlockBytes;
            foreach (var slab in _slabs)
                for (var head = 0; head < _heads; head++, from += bytes)
                    Buffer.MemoryCopy(from, slab.Start + row * _rowBytes + head * _headBytes + (long)start * _tokenBytes, bytes, bytes);
            start += BlockKey.Tokens;
        }
    }

    public void Empty(int row)
    {
        if (!_givesBack)
            return;
        foreach (var slab in _slabs)
            slab.GiveBack(row * _rowBytes, _rowBytes);
    }

    public void Dispose()
    {
        foreach (var bound in _prefill.Concat(_decode))
            bound?.Binding.Dispose();
        _session.Dispose();
        foreach (var slab in _slabs)
            slab.Dispose();
    }

    private Bound PrefillOf(int row) => _prefill[row] ??= new Bound(this, row, 1);

    private void Fill(ReadOnlySpan<int> tokens, int past)
    {
        var ids = _session.Ids(tokens.Length);
        var positions = _session.Positions(tokens.Length);
        for (var i = 0; i < tokens.Length; i++)
            (ids[i], positions[i]) = (tokens[i], past + i);
        _session.Mask(past + tokens.Length).Fill(1);
    }

    // A row's length is the number of ones in its mask.
    private void FillStep(ReadOnlySpan<int> tokens, ReadOnlySpan<int> pasts, int width)
    {
        var ids = _session.Ids(tokens.Length);
        var positions = _session.Positions(tokens.Length);
        var mask = _session.Mask(tokens.Length * width);
        for (var row = 0; row < tokens.Length; row++)
        {
            (ids[row], positions[row]) = (tokens[row], pasts[row]);
            mask.Slice(row * width, pasts[row] + 1).Fill(1);
            mask.Slice(row * width + pasts[row] + 1, width - pasts[row] - 1).Clear();
        }
    }

    /// <summary>A range of rows bound as past and present; tokens and logits are bound as they come.</summary>
    private sealed class Bound
    {
        public Bound(SharedCacheDecoder decoder, int first, int count)
        {
            var (session, layout) = (decoder._session, decoder._session.Layout);
            Binding = session.Session.CreateIoBinding();
            for (var i = 0; i < layout.Cache.Count; i++)
            {
                using var value = OrtValue.CreateTensorValueWithData(
                    session.Memory, layout.CacheType, [count, layout.KeyValueHeads, session.ContextLength, layout.HeadSize],
                    (nint)(decoder._slabs[i].Start + first * decoder._rowBytes), count * decoder._rowBytes);
                Binding.BindInput(layout.Cache[i].Past, value);
                Binding.BindOutput(layout.Cache[i].Present, value);
            }
        }

        public OrtIoBinding Binding { get; }
        public int MaskWidth { get; set; }
        public int LogitsMoved { get; set; }
    }
}
