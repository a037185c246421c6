using System.Runtime.CompilerServices;

namespace Cairn.Planning.Costs;

/// <summary>
/// Products of non-negative amounts in whole micro-dollars, each rounded down once and bounded, so that no workload however large overflows a
/// sum. The bound is far above any bill; an amount at the bound still loses every comparison and breaks every budget.
/// </summary>
internal static class Amounts
{
    /// <summary>One hundred billion dollars.</summary>
    public const long Cap = 100_000_000_000_000_000;

    public const long BytesPerGigabyte = 1_000_000_000;

    /// <summary>A month of 730 hours, as <see cref="Contracts.Offers.Offer.StoragePerGigabyteMonth"/> counts it.</summary>
    public const long SecondsPerMonth = 730 * 3600;

    /// <summary>⌊a × b ÷ divisor⌋.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long MulDiv(long a, long b, long divisor)
    {
        // Two numbers of 31 bits make one of 62: nearly all prices and times do.
        return ((a | b) >> 31) == 0 ? Math.Min(a * b / divisor, Cap) : Wide(a, b, divisor);
    }

    /// <summary>The floor that <see cref="Contracts.Units.HourlyPrice.CostOf(long)"/> takes, for whole seconds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long OfTime(long microsPerHour, long seconds) => MulDiv(microsPerHour, seconds, 3600);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long OfStorage(long gigabytes, long microsPerGigabyteMonth, long seconds) =>
        gigabytes == 0 || microsPerGigabyteMonth == 0 ? 0 : MulDiv(MulDiv(gigabytes, microsPerGigabyteMonth, 1), seconds, SecondsPerMonth);

    public static long OfBytes(long bytes, long microsPerGigabyte) => MulDiv(bytes, microsPerGigabyte, BytesPerGigabyte);

    /// <summary>Disks are rented by whole decimal gigabytes.</summary>
    public static long WholeGigabytes(long bytes) => bytes / BytesPerGigabyte + (bytes % BytesPerGigabyte > 0 ? 1 : 0);

    public static long RoundUp(long value, long multiple) => multiple <= 1 ? value : (value / multiple + (value % multiple > 0 ? 1 : 0)) * multiple;

    private static long Wide(long a, long b, long divisor)
    {
        var high = Math.BigMul(a, b, out long low);
        if (high == 0 && low >= 0)
            return Math.Min(low / divisor, Cap);
        var quotient = (Int128)a * b / divisor;
        return quotient > Cap ? Cap : (long)quotient;
    }
}
