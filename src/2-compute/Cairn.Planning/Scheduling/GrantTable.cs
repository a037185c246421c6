using System.Runtime.InteropServices;

namespace Cairn.Planning.Scheduling;

/// <summary>What one task holds. Grants of one gang and grants of one node are chained by slots.</summary>
internal struct Grant
{
    public Guid Key;
    public Node Node;
    public ulong Devices;
    public long Cpu;
    public long Memory;
    public long Disk;
    public int Rank;
    public int Milli;
    public int NextInGang;
    public int NextOnNode;
    public int PreviousOnNode;
}

/// <summary>Every grant by gang and by node, in slots that are used again.</summary>
internal sealed class GrantTable
{
    private readonly Dictionary<Guid, int> _gangs = [];
    private Grant[] _grants = new Grant[1024];
    private int _used;
    private int _firstUnused = -1;

    public int Count { get; private set; }

    public ref readonly Grant this[int slot] => ref _grants[slot];

    /// <summary>The first grant of a gang, −1 where it holds none.</summary>
    public int FirstOf(Guid key) => _gangs.TryGetValue(key, out var slot) ? slot : -1;

    /// <summary>
    /// Takes the amounts from the node and keeps them under the gang's key. The node's place in the index is the caller's to renew.
    /// </summary>
    public int Add(in Grant grant)
    {
        var slot = Slot();
        ref var head = ref CollectionsMarshal.GetValueRefOrAddDefault(_gangs, grant.Key, out var known);
        ref var added = ref _grants[slot];
        added = grant;
        added.NextInGang = known ? head : -1;
        head = slot;
        added.PreviousOnNode = -1;
        added.NextOnNode = grant.Node.FirstGrant;
        if (added.NextOnNode >= 0)
            _grants[added.NextOnNode].PreviousOnNode = slot;
        grant.Node.FirstGrant = slot;
        grant.Node.Take(added);
        Count++;
        return slot;
    }

    /// <summary>Gives the amounts back to the node.</summary>
    public void Remove(int slot)
    {
        ref var grant = ref _grants[slot];
        UnchainFromGang(slot);
        if (grant.PreviousOnNode >= 0)
            _grants[grant.PreviousOnNode].NextOnNode = grant.NextOnNode;
        else
            grant.Node.FirstGrant = grant.NextOnNode;
        if (grant.NextOnNode >= 0)
            _grants[grant.NextOnNode].PreviousOnNode = grant.PreviousOnNode;
        grant.Node.Return(grant);
        grant.Node = null!;
        grant.NextInGang = _firstUnused;
        _firstUnused = slot;
        Count--;
    }

    private void UnchainFromGang(int slot)
    {
        var key = _grants[slot].Key;
        ref var head = ref CollectionsMarshal.GetValueRefOrNullRef(_gangs, key);
        if (head != slot)
        {
            var before = head;
            while (_grants[before].NextInGang != slot)
                before = _grants[before].NextInGang;
            _grants[before].NextInGang = _grants[slot].NextInGang;
        }
        else if (_grants[slot].NextInGang < 0)
        {
            _gangs.Remove(key);
        }
        else
        {
            head = _grants[slot].NextInGang;
        }
    }

    private int Slot()
    {
        if (_firstUnused >= 0)
        {
            var slot = _firstUnused;
            _firstUnused = _grants[slot].NextInGang;
            return slot;
        }

        if (_used == _grants.Length)
            Array.Resize(ref _grants, _used * 2);
        return _used++;
    }
}
