namespace Cairn.Serving.Gateway.Bodies;

/// <summary>The memory that request bodies may take together, so that many clients with large bodies cannot take all there is.</summary>
internal sealed class BodyMemory(long mostBytes)
{
    private long _taken;

    public long Taken => Volatile.Read(ref _taken);

    public bool TryTake(int bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= mostBytes)
            return true;
        Interlocked.Add(ref _taken, -bytes);
        return false;
    }

    public void Return(int bytes) => Interlocked.Add(ref _taken, -bytes);
}
