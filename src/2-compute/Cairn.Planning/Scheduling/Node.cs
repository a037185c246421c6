using System.Diagnostics;
using System.Numerics;

namespace Cairn.Planning.Scheduling;

/// <summary>
/// One node's room. Invariants: a device's bit is in <see cref="FreeDevices"/> exactly where nothing uses it; <see cref="PartlyFree"/>
/// holds those of which a share is used and a share is free; the amounts are the totals less every grant. What a reservation holds is
/// not subtracted from the amounts, only from what others see (<see cref="OpenDevices"/>, <see cref="OpenCpu"/>).
/// </summary>
internal sealed class Node(int handle)
{
    /// <summary>Thousandths free of each device; null while no share was ever granted here.</summary>
    private short[]? _deviceFree;

    public int Handle { get; } = handle;

    public NodeShape Shape { get; set; } = null!;

    public Cell Cell { get; set; } = null!;

    public int SlotInCell { get; set; }

    public bool Schedulable { get; set; }

    public LabelSet Labels { get; set; } = LabelSet.Empty;

    public long FreeCpu { get; private set; }

    public long FreeMemory { get; private set; }

    public long FreeDisk { get; private set; }

    public ulong FreeDevices { get; private set; }

    public ulong PartlyFree { get; private set; }

    public int FirstGrant { get; set; } = -1;

    public Reservation? Reservation { get; private set; }

    private Hold _hold;

    /// <summary>Wholly free devices that others may take.</summary>
    public int OpenDevices => Math.Max(0, BitOperations.PopCount(FreeDevices) - _hold.Devices);

    public int HeldDevices => _hold.Devices;

    public long OpenCpu => FreeCpu - _hold.Cpu;

    public bool HasOpen(TaskNeed need) =>
        need.CpuMillis <= FreeCpu - _hold.Cpu && need.MemoryBytes <= FreeMemory - _hold.Memory && need.DiskBytes <= FreeDisk - _hold.Disk;

    /// <summary>True where everything that a reservation holds here is free now.</summary>
    public bool Covers(in Hold hold) =>
        BitOperations.PopCount(FreeDevices & hold.Kinds) >= hold.Devices && hold.Cpu <= FreeCpu && hold.Memory <= FreeMemory
        && hold.Disk <= FreeDisk;

    /// <summary>
    /// The most that one partly used device has free; 0 where shares must not be added because a reservation drains the node.
    /// </summary>
    public int LargestShare
    {
        get
        {
            var largest = 0;
            if (Reservation is null)
            {
                for (var rest = PartlyFree; rest != 0; rest &= rest - 1)
                    largest = Math.Max(largest, _deviceFree![BitOperations.TrailingZeroCount(rest)]);
            }

            return largest;
        }
    }

    /// <summary>Thousandths of one device that nothing uses.</summary>
    public int FreeOf(int device)
    {
        if (_deviceFree is { } free)
            return free[device];
        return (FreeDevices >> device & 1) != 0 ? TaskNeed.WholeAccelerator : 0;
    }

    public void Reset()
    {
        FreeCpu = Shape.CpuMillis;
        FreeMemory = Shape.MemoryBytes;
        FreeDisk = Shape.DiskBytes;
        FreeDevices = DeviceBits.FirstN(Cell.Layout.Count);
        PartlyFree = 0;
        _deviceFree = null;
    }

    public void Reserve(Reservation reservation, in Hold hold) => (Reservation, _hold) = (reservation, hold);

    public void Unreserve() => (Reservation, _hold) = (null, default);

    public void Take(in Grant grant)
    {
        FreeCpu -= grant.Cpu;
        FreeMemory -= grant.Memory;
        FreeDisk -= grant.Disk;
        var devices = grant.Devices & DeviceBits.FirstN(Cell.Layout.Count);
        if (grant.Milli < TaskNeed.WholeAccelerator && devices != 0)
        {
            ChangeShare(BitOperations.TrailingZeroCount(devices), -grant.Milli);
            return;
        }

        Debug.Assert((FreeDevices & devices) == devices, "A device was granted twice.");
        FreeDevices &= ~devices;
        SetWhole(devices, 0);
    }

    public void Return(in Grant grant)
    {
        FreeCpu += grant.Cpu;
        FreeMemory += grant.Memory;
        FreeDisk += grant.Disk;
        var devices = grant.Devices & DeviceBits.FirstN(Cell.Layout.Count);
        if (grant.Milli < TaskNeed.WholeAccelerator && devices != 0)
        {
            ChangeShare(BitOperations.TrailingZeroCount(devices), grant.Milli);
            return;
        }

        FreeDevices |= devices;
        SetWhole(devices, TaskNeed.WholeAccelerator);
    }

    private void SetWhole(ulong devices, short milli)
    {
        if (_deviceFree is not { } free)
            return;
        for (; devices != 0; devices &= devices - 1)
            free[BitOperations.TrailingZeroCount(devices)] = milli;
    }

    private void ChangeShare(int device, int milli)
    {
        _deviceFree ??= StartShares();
        var left = _deviceFree[device] + milli;
        Debug.Assert(left is >= 0 and <= TaskNeed.WholeAccelerator, "A device's shares exceed the device.");
        _deviceFree[device] = (short)left;
        var bit = 1UL << device;
        FreeDevices = left == TaskNeed.WholeAccelerator ? FreeDevices | bit : FreeDevices & ~bit;
        PartlyFree = left is > 0 and < TaskNeed.WholeAccelerator ? PartlyFree | bit : PartlyFree & ~bit;
    }

    private short[] StartShares()
    {
        var free = new short[Cell.Layout.Count];
        for (var i = 0; i < free.Length; i++)
            free[i] = (FreeDevices >> i & 1) != 0 ? (short)TaskNeed.WholeAccelerator : (short)0;
        return free;
    }

    // Links of the index; only Cell writes them.
    public Node? Next { get; set; }

    public Node? Previous { get; set; }

    /// <summary>−1 while not in the index.</summary>
    public int Row { get; set; } = -1;

    public int Level { get; set; }

    public Node? NextShare { get; set; }

    public Node? PreviousShare { get; set; }

    /// <summary>−1 while no share of a device is free.</summary>
    public int ShareBucket { get; set; } = -1;
}

/// <summary>What a reservation keeps on one node.</summary>
/// <param name="Kinds">The devices that count.</param>
internal readonly record struct Hold(int Devices, ulong Kinds, long Cpu, long Memory, long Disk);
