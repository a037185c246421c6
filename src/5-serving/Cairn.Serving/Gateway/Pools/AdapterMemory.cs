namespace Cairn.Serving.Gateway.Pools;

/// <summary>
/// The adapters that a replica was sent last, as many as its engine keeps: engines report only those of requests under way, and an idle
/// adapter stays loaded until another one takes its place. Not for concurrent use but for reading <see cref="Bits"/>.
/// </summary>
internal sealed class AdapterMemory
{
    private readonly List<ulong> _last = [];
    private ulong _bits;

    public ulong Bits => Volatile.Read(ref _bits);

    /// <param name="adapter">One bit.</param>
    /// <param name="slots">How many the engine keeps, at least 1.</param>
    public void Sent(ulong adapter, int slots)
    {
        _last.Remove(adapter);
        _last.Insert(0, adapter);
        if (_last.Count > slots)
            _last.RemoveRange(slots, _last.Count - slots);
        var bits = 0UL;
        foreach (var one in _last)
            bits |= one;
        Volatile.Write(ref _bits, bits);
    }
}
