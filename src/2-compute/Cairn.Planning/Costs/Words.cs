using System.Globalization;
using Cairn.Contracts.Plans;
using Cairn.Planning.Places;

namespace Cairn.Planning.Costs;

/// <summary>Quantities as plans write them, the same in every culture.</summary>
internal static class Words
{
    public static string Bytes(double bytes) => bytes switch
    {
        >= 1e15 => Number(bytes / 1e15) + " PB",
        >= 1e12 => Number(bytes / 1e12) + " TB",
        >= 1e9 => Number(bytes / 1e9) + " GB",
        >= 1e6 => Number(bytes / 1e6) + " MB",
        >= 1e3 => Number(bytes / 1e3) + " kB",
        _ => Number(bytes) + " B",
    };

    public static string Time(double seconds) => seconds switch
    {
        >= 48 * 3600 => Number(seconds / 86400) + " days",
        >= 3600 => Number(seconds / 3600) + " h",
        >= 120 => Number(seconds / 60) + " min",
        _ => Number(seconds) + " s",
    };

    public static string Hours(double seconds) => (seconds / 3600).ToString("#,##0.####", CultureInfo.InvariantCulture) + " h";

    public static string Number(double value) => value.ToString("#,##0.##", CultureInfo.InvariantCulture);

    public static string Of(Distance distance) => distance switch
    {
        Distance.SameRegion => " within the region",
        Distance.SameProvider => " across regions",
        _ => " over the internet",
    };

    public static string Of(PriceModel model) => model switch
    {
        PriceModel.OnDemand => "on demand",
        PriceModel.Spot => "spot",
        _ => "reserved",
    };
}
