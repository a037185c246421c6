using System.Security.Cryptography;

namespace Cairn.Serving.Gateway.Routing;

/// <summary>Random numbers for decisions: a counter from a random start, mixed. Safe for concurrent use, and cheap.</summary>
internal sealed class Dice
{
    private ulong _counter = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));

    public ulong Roll() => Mix(Interlocked.Increment(ref _counter));

    /// <summary>SplitMix64's finalizer (Steele, Lea, Flood 2014, Fast splittable pseudorandom number generators).</summary>
    public static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
