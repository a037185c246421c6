namespace Cairn.Serving.Gateway.Calls;

/// <summary>
/// The last requests, by id; older ones are overwritten. A request under way is seen as it is. Once it is over it is copied into memory that the log has from the beginning:
/// records that lived until they are overwritten would be garbage of some seconds' age, which the runtime leaves lying longest. Finding looks through all: a person asks seldom.
/// </summary>
internal sealed class DecisionLog(int most)
{
    private readonly Lock _lock = new();
    private readonly RememberedCall[] _ring = new RememberedCall[most];
    private long _count;

    /// <summary>Remembers a request from now on; ending what is returned says that nothing of its record changes any more.</summary>
    public UnderWay Begin(CallRecord record)
    {
        if (_ring.Length == 0)
            return default;
        lock (_lock)
        {
            var place = (int)(_count++ % _ring.Length);
            _ring[place] = new RememberedCall(record);
            return new UnderWay(this, record, place);
        }
    }

    public CallRecord? Find(string id)
    {
        if (RequestNumber.Parse(id) is not { } number)
            return null;
        lock (_lock)
        {
            foreach (ref var remembered in _ring.AsSpan())
            {
                if (remembered.Is(number))
                    return remembered.ToRecord();
            }
        }
        return null;
    }

    private void End(CallRecord record, int place)
    {
        lock (_lock)
            _ring[place].End(record);
    }

    /// <summary>A remembered request that is not over.</summary>
    public readonly struct UnderWay(DecisionLog? log, CallRecord record, int place) : IDisposable
    {
        public void Dispose() => log?.End(record, place);
    }
}
