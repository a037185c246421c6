using System.Buffers;
using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Cairn.Frameworks.Sampling;

/// <summary>The likeliest tokens of a vocabulary, found by pruning and partial selection, never by a full sort. Equal logits rank by
/// token id, lower first. Rents its memory; dispose it.</summary>
/// <remarks>A candidate is one integer that orders like (logit, then lower id): comparisons are total and need no tie rule.</remarks>
internal ref struct TokenSelection : IDisposable
{
    private const int Block = 64;
    private ulong[] _keys;
    private int _count;

    private TokenSelection(int capacity)
    {
        _keys = ArrayPool<ulong>.Shared.Rent(capacity);
        _count = 0;
    }

    public readonly int Count => _count;
    public readonly int TokenAt(int index) => (int)~(uint)_keys[index];
    public readonly float LogitAt(int index) => Logit(_keys[index]);

    /// <summary>The <paramref name="count"/> likeliest, in no order.</summary>
    public static TokenSelection Likeliest(ReadOnlySpan<float> logits, int count)
    {
        count = Math.Min(count, logits.Length);
        var selection = AtLeast(logits, FloorOf(logits, count));
        selection.KeepCount(count);
        return selection;
    }

    /// <summary>All tokens whose logit is at least <paramref name="floor"/> (and no token at minus infinity), in no order.</summary>
    public static TokenSelection AtLeast(ReadOnlySpan<float> logits, float floor)
    {
        floor = Math.Max(floor, float.MinValue);
        var selection = new TokenSelection(logits.Length);
        var keys = selection._keys;
        var count = 0;
        var i = 0;
        var floors = Vector256.Create(floor);
        ref var first = ref MemoryMarshal.GetReference(logits);
        for (; i <= logits.Length - 8; i += 8)
        {
            var bits = Vector256.GreaterThanOrEqual(Vector256.LoadUnsafe(ref first, (nuint)i), floors).ExtractMostSignificantBits();
            for (; bits != 0; bits &= bits - 1)
            {
                var token = i + System.Numerics.BitOperations.TrailingZeroCount(bits);
                keys[count++] = Key(logits[token], token);
            }
        }
        for (; i < logits.Length; i++)
            if (logits[i] >= floor) keys[count++] = Key(logits[i], i);
        selection._count = count;
        return selection;
    }

    /// <summary>Drops all but the <paramref name="count"/> likeliest.</summary>
    public void KeepCount(int count)
    {
        if (count >= _count) return;
        Partition(_keys.AsSpan(0, _count), count);
        _count = count;
    }

    /// <summary>Drops all but the smallest set of likeliest tokens whose weights reach <paramref name="target"/>.</summary>
    public void KeepWeight(Softmax softmax, double target)
    {
        // Quickselect by weight instead of by count: only the part that holds the border is looked into again.
        var keys = _keys.AsSpan(0, _count);
        var kept = 0;
        while (keys.Length > 1)
        {
            var above = Split(keys);
            double weight = 0;
            foreach (var key in keys[..above]) weight += softmax.Weight(Logit(key));
            if (weight >= target) keys = keys[..above];
            else
            {
                target -= weight;
                kept += above;
                keys = keys[above..];
            }
        }
        _count = Math.Min(_count, kept + 1);
    }

    /// <summary>Drops tokens whose logit is below <paramref name="floor"/>.</summary>
    public void KeepAtLeast(float floor)
    {
        var kept = 0;
        for (var i = 0; i < _count; i++)
            if (Logit(_keys[i]) >= floor) _keys[kept++] = _keys[i];
        _count = kept;
    }

    /// <summary>Likeliest first.</summary>
    public readonly void Sort() => _keys.AsSpan(0, _count).Sort(static (a, b) => b.CompareTo(a));

    public void Dispose()
    {
        ArrayPool<ulong>.Shared.Return(_keys);
        _keys = [];
        _count = 0;
    }

    /// <summary>A logit that at least <paramref name="count"/> tokens reach: the count-th greatest of the blocks' maxima.</summary>
    private static float FloorOf(ReadOnlySpan<float> logits, int count)
    {
        var blocks = logits.Length / Block;
        if (count > blocks) return float.NegativeInfinity;
        var maxima = ArrayPool<ulong>.Shared.Rent(blocks);
        for (var b = 0; b < blocks; b++) maxima[b] = Key(TensorPrimitives.Max(logits.Slice(b * Block, Block)), b);
        var keys = maxima.AsSpan(0, blocks);
        Partition(keys, count);
        var floor = float.PositiveInfinity;
        foreach (var key in keys[..count]) floor = Math.Min(floor, Logit(key));
        ArrayPool<ulong>.Shared.Return(maxima);
        return floor;
    }

    /// <summary>Brings the <paramref name="count"/> greatest to the front.</summary>
    private static void Partition(Span<ulong> keys, int count)
    {
        while (keys.Length > 1 && count > 0 && count < keys.Length)
        {
            var above = Split(keys);
            if (count < above) keys = keys[..above];
            else
            {
                keys = keys[above..];
                count -= above;
            }
        }
    }

    /// <summary>Brings greater keys before smaller ones around a pivot; tells how many are in front: at least one, and not all.</summary>
    private static int Split(Span<ulong> keys)
    {
        Debug.Assert(keys.Length > 1);
        var pivot = Pivot(keys);
        int left = -1, right = keys.Length;
        while (true)
        {
            do left++; while (keys[left] > pivot);
            do right--; while (keys[right] < pivot);
            if (left >= right) return right + 1;
            (keys[left], keys[right]) = (keys[right], keys[left]);
        }
    }

    /// <summary>The median of three; moved to the front, so that Hoare's scheme leaves neither part empty.</summary>
    private static ulong Pivot(Span<ulong> keys)
    {
        var (middle, last) = (keys.Length / 2, keys.Length - 1);
        var median = keys[0] > keys[middle]
            ? keys[middle] > keys[last] ? middle : keys[0] > keys[last] ? last : 0
            : keys[0] > keys[last] ? 0 : keys[middle] > keys[last] ? last : middle;
        (keys[0], keys[median]) = (keys[median], keys[0]);
        return keys[0];
    }

    private static ulong Key(float logit, int token)
    {
        var bits = BitConverter.SingleToUInt32Bits(logit + 0f); // minus zero ranks with zero
        bits ^= (bits & 0x80000000) != 0 ? uint.MaxValue : 0x80000000;
        return ((ulong)bits << 32) | ~(uint)token;
    }

    private static float Logit(ulong key)
    {
        var bits = (uint)(key >> 32);
        return BitConverter.UInt32BitsToSingle(bits ^ ((bits & 0x80000000) != 0 ? 0x80000000 : uint.MaxValue));
    }
}
