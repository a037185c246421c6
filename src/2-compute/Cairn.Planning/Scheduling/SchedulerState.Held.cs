using System.Numerics;

namespace Cairn.Planning.Scheduling;

public sealed partial class SchedulerState
{
    /// <summary>
    /// Enters a lease that exists already, after a restart or from another server. Amounts are taken even where the node no longer has
    /// them; a device is not granted twice.
    /// </summary>
    /// <returns>False, with nothing changed, where the rank is held already or a device is missing or taken.</returns>
    public bool Adopt(in HeldTask held)
    {
        var node = _nodes[held.Node];
        if (FindGrant(held.Key, held.Rank) >= 0 || !CanHold(node, held))
            return false;
        _grants.Add(new Grant
        {
            Key = held.Key, Node = node, Rank = held.Rank, Devices = held.Devices, Milli = held.AcceleratorMilli,
            Cpu = held.CpuMillis, Memory = held.MemoryBytes, Disk = held.DiskBytes,
        });
        _nodes.Refresh(node, freed: false);
        JoinInstead(held.Key);
        _queue.WakeJoining(held.Key);
        return true;
    }

    /// <summary>Everything that the gang holds comes free.</summary>
    /// <returns>How many tasks held something; 0 for an unknown key.</returns>
    public int Release(Guid key)
    {
        var released = 0;
        for (var slot = _grants.FirstOf(key); slot >= 0; slot = _grants.FirstOf(key), released++)
            ReleaseSlot(slot);
        if (released > 0)
            _queue.WakeJoining(key);
        return released;
    }

    /// <summary>What one rank holds comes free.</summary>
    public bool Release(Guid key, int rank)
    {
        var slot = FindGrant(key, rank);
        if (slot < 0)
            return false;
        ReleaseSlot(slot);
        _queue.WakeJoining(key);
        return true;
    }

    /// <summary>A request that waits under the key of what was adopted joins that gang, so it leaves the line of whole gangs.</summary>
    private void JoinInstead(Guid key)
    {
        if (_queue.Find(key) is not { Line.Joins: null } waiting)
            return;
        Withdraw(key);
        _queue.Add(waiting.Request, joins: true);
    }

    private static bool CanHold(Node node, in HeldTask held)
    {
        if ((held.Devices & ~DeviceBits.FirstN(node.Cell.Layout.Count)) != 0)
            return false;
        if (held.AcceleratorMilli is 0 or >= TaskNeed.WholeAccelerator)
            return (node.FreeDevices & held.Devices) == held.Devices;
        return BitOperations.IsPow2(held.Devices)
            && node.FreeOf(BitOperations.TrailingZeroCount(held.Devices)) >= held.AcceleratorMilli;
    }

    private int FindGrant(Guid key, int rank)
    {
        var slot = _grants.FirstOf(key);
        while (slot >= 0 && _grants[slot].Rank != rank)
            slot = _grants[slot].NextInGang;
        return slot;
    }

    private void ReleaseSlot(int slot)
    {
        var node = _grants[slot].Node;
        _grants.Remove(slot);
        _nodes.Refresh(node, freed: true);
    }
}
