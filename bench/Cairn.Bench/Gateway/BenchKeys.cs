using System.Globalization;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;

namespace Cairn.Bench.Gateway;

/// <summary>Keys that the load and the gateway, in processes of their own, both know by number.</summary>
internal static class BenchKeys
{
    public static ApiKey At(int number) =>
        new(new KeyId(new Guid(number, 7, 7, 1, 2, 3, 4, 5, 6, 7, 8)), number.ToString("D43", CultureInfo.InvariantCulture));
}
