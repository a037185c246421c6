using System.Diagnostics;

namespace Cairn.Frameworks.Engine.Batching;

/// <summary>
/// Which block of keys and values lies in which slot of the pool. A block is of use only while its parent is there, so only blocks without
/// children are given up, the least recently used first.
/// </summary>
internal sealed class PrefixIndex
{
    private const int None = -1;

    private readonly Dictionary<BlockKey, int> _slots = [];
    private readonly Entry[] _entries;
    private int _unused;
    private int _oldest = None;
    private int _newest = None;

    /// <param name="slots">Blocks that the pool holds; 0 caches nothing.</param>
    public PrefixIndex(int slots)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slots);
        _entries = new Entry[slots];
    }

    public int Count => _slots.Count;

    public int Capacity => _entries.Length;

    public bool Contains(BlockKey key) => _slots.ContainsKey(key);

    /// <summary>Finds a block and counts it as used now.</summary>
    public bool TryUse(BlockKey key, out int slot)
    {
        if (!_slots.TryGetValue(key, out slot))
            return false;
        if (_entries[slot].Children == 0)
        {
            Unlink(slot);
            LinkNewest(slot);
        }
        return true;
    }

    /// <summary>Makes room for a block that is not there yet. False where its parent is missing or nothing else can be given up.</summary>
    public bool TryAdd(BlockKey key, BlockKey parent, out int slot)
    {
        Debug.Assert(!_slots.ContainsKey(key), "the block is there already");
        slot = None;
        var above = None;
        if (parent != BlockKey.Root && !_slots.TryGetValue(parent, out above))
            return false;
        slot = _unused < _entries.Length ? _unused++ : GiveUp(above);
        if (slot == None)
            return false;
        if (above != None && _entries[above].Children++ == 0)
            Unlink(above);
        _entries[slot] = new Entry { Key = key, Parent = above, Older = None, Newer = None };
        _slots.Add(key, slot);
        LinkNewest(slot);
        return true;
    }

    private int GiveUp(int keep)
    {
        var slot = _oldest == keep && keep != None ? _entries[keep].Newer : _oldest;
        if (slot == None)
            return None;
        Unlink(slot);
        _slots.Remove(_entries[slot].Key);
        var parent = _entries[slot].Parent;
        if (parent != None && --_entries[parent].Children == 0)
            LinkOldest(parent);
        return slot;
    }

    private void Unlink(int slot)
    {
        ref var entry = ref _entries[slot];
        if (entry.Older == None)
            _oldest = entry.Newer;
        else
            _entries[entry.Older].Newer = entry.Newer;
        if (entry.Newer == None)
            _newest = entry.Older;
        else
            _entries[entry.Newer].Older = entry.Older;
        entry.Older = entry.Newer = None;
    }

    private void LinkNewest(int slot)
    {
        _entries[slot].Older = _newest;
        if (_newest == None)
            _oldest = slot;
        else
            _entries[_newest].Newer = slot;
        _newest = slot;
    }

    private void LinkOldest(int slot)
    {
        _entries[slot].Newer = _oldest;
        if (_oldest == None)
            _newest = slot;
        else
            _entries[_oldest].Older = slot;
        _oldest = slot;
    }

    private struct Entry
    {
        public BlockKey Key;
        public int Parent;
        public int Children;
        public int Older;
        public int Newer;
    }
}
