namespace Cairn.Serving.Gateway.Routing;

/// <summary>
/// Which replicas were lately given which prefixes: block hash → up to four replicas, the latest first. Sixteen-way buckets of fixed
/// size, the least recently used entry of a bucket gives way; so memory never grows. Safe for concurrent use. An entry for block n of a
/// chain stands for all blocks before it. Recording renews a whole chain, so its front is never older than its end, and the longest known
/// part is found by bisection.
/// </summary>
internal sealed class PrefixIndex
{
    private const int Ways = 16;
    private const int ReplicasPerEntry = 4;
    private readonly Lock _lock = new();
    private readonly ulong[] _keys;
    private readonly uint[] _stamps;
    private readonly int[] _replicas;
    private readonly int _mask;
    private uint _clock;

    /// <param name="entries">Blocks remembered, 28 bytes each; rounded up to a power of two.</param>
    public PrefixIndex(int entries)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(entries, Ways);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(entries, 1 << 26);
        var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)entries);
        (_keys, _stamps, _replicas) = (new ulong[size], new uint[size], new int[size * ReplicasPerEntry]);
        _mask = size / Ways - 1;
    }

    /// <summary>Remembers that a replica gets a prompt. Slots start at 1.</summary>
    public void Record(ReadOnlySpan<ulong> hashes, int slot)
    {
        lock (_lock)
        {
            _clock++;
            foreach (var hash in hashes)
            {
                var entry = Find(hash) is var found and >= 0 ? found : Evict(hash);
                _stamps[entry] = _clock;
                PutFirst(_replicas.AsSpan(entry * ReplicasPerEntry, ReplicasPerEntry), slot);
            }
        }
    }

    /// <summary>The replicas that have the most leading blocks, those with more first.</summary>
    /// <returns>How many of <paramref name="matches"/> were filled.</returns>
    public int Match(ReadOnlySpan<ulong> hashes, Span<PrefixMatch> matches)
    {
        if (hashes.IsEmpty || matches.IsEmpty)
            return 0;
        lock (_lock)
        {
            // The number of leading blocks that are known at all.
            var (known, unknown) = (0, hashes.Length + 1);
            while (unknown - known > 1)
            {
                var middle = (known + unknown) >>> 1;
                if (Find(hashes[middle - 1]) >= 0)
                    known = middle;
                else
                    unknown = middle;
            }
            var count = 0;
            // From the end towards the front, more replicas have a block; a few steps find those worth weighing.
            for (var blocks = known; blocks > 0 && count < matches.Length; blocks = blocks > 16 ? blocks * 3 / 4 : blocks - 1)
            {
                if (Find(hashes[blocks - 1]) is var entry and >= 0)
                    count = AddNew(matches, count, entry, blocks);
            }
            return count;
        }
    }

    private int AddNew(Span<PrefixMatch> matches, int count, int entry, int blocks)
    {
        foreach (var slot in _replicas.AsSpan(entry * ReplicasPerEntry, ReplicasPerEntry))
        {
            if (slot == 0 || count == matches.Length)
                break;
            var isNew = true;
            foreach (var match in matches[..count])
                isNew &= match.Slot != slot;
            if (isNew)
                matches[count++] = new PrefixMatch(slot, blocks);
        }
        return count;
    }

    private int Find(ulong hash)
    {
        var first = (int)(hash & (uint)_mask) * Ways;
        var place = _keys.AsSpan(first, Ways).IndexOf(hash);
        return place < 0 || _stamps[first + place] == 0 ? -1 : first + place;
    }

    private int Evict(ulong hash)
    {
        var first = (int)(hash & (uint)_mask) * Ways;
        var oldest = first;
        for (var i = first + 1; i < first + Ways; i++)
        {
            // Differences survive the clock's wrap; 0 marks an entry that was never used.
            if (_stamps[oldest] != 0 && (_stamps[i] == 0 || _clock - _stamps[i] > _clock - _stamps[oldest]))
                oldest = i;
        }
        _keys[oldest] = hash;
        _replicas.AsSpan(oldest * ReplicasPerEntry, ReplicasPerEntry).Clear();
        return oldest;
    }

    private static void PutFirst(Span<int> slots, int slot)
    {
        var place = slots.IndexOf(slot);
        if (place == 0)
            return;
        slots[..(place < 0 ? slots.Length - 1 : place)].CopyTo(slots[1..]);
        slots[0] = slot;
    }
}
