using System.Numerics;

namespace Cairn.Planning.Scheduling;

/// <summary>The accelerators of a node by index. Nodes of one cell share the instance.</summary>
internal sealed class DeviceLayout
{
    private readonly IReadOnlyList<DeviceShape> _devices;
    private readonly ulong[] _masks;

    public DeviceLayout(IReadOnlyList<DeviceShape> devices)
    {
        _devices = devices;
        _masks = new ulong[devices.Count];
        for (var i = 0; i < devices.Count; i++)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(devices[i].Count, 1);
            if (Count + devices[i].Count > NodeShape.MaxDevices)
                throw new ArgumentException($"A node has more than {NodeShape.MaxDevices} accelerators; split it into several nodes.");
            _masks[i] = DeviceBits.FirstN(devices[i].Count) << Count;
            Count += devices[i].Count;
        }
    }

    public int Count { get; }

    public bool Holds(IReadOnlyList<DeviceShape> devices)
    {
        if (devices.Count != _devices.Count)
            return false;
        for (var i = 0; i < devices.Count; i++)
        {
            if (_devices[i] != devices[i])
                return false;
        }

        return true;
    }

    /// <summary>
    /// For each kind that the need accepts and of which there are enough, its devices. Empty where no task of the need can ever fit.
    /// </summary>
    public ulong[] KindsFor(TaskNeed need)
    {
        var whole = Math.Max(1, need.AcceleratorMilli / TaskNeed.WholeAccelerator);
        var kinds = new List<ulong>();
        for (var i = 0; i < _masks.Length; i++)
        {
            if (need.Accepts(_devices[i]) && BitOperations.PopCount(_masks[i]) >= whole)
                kinds.Add(_masks[i]);
        }

        return kinds.Count == _masks.Length ? _masks : [.. kinds];
    }

    /// <summary>How far the devices meet a need whose <see cref="KindsFor"/> is empty.</summary>
    public (bool Kind, bool Memory) Meets(TaskNeed need)
    {
        var (kind, memory) = (false, false);
        foreach (var device in _devices)
        {
            kind |= need.AcceptsKind(device);
            memory |= need.Accepts(device);
        }

        return (kind, memory);
    }
}
