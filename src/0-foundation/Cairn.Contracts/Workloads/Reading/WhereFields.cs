using Cairn.Contracts.Offers;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

internal static class WhereFields
{
    private static readonly string[] s_certifications = ["soc2", "hipaa", "fedramp", "iso27001", "pci", "gdpr"];

    public static readonly FieldTable<WhereSpec> Table = new FieldTable<WhereSpec>("where", "where.") { Elsewhere = AllFields.PlaceOf }
        .Field("deployment_models", (w, v) => w with { DeploymentModels = DeploymentModels(v) })
        .Field("providers", (w, v) => w with { Providers = v.Words("providers", Provider) })
        .Field("regions", (w, v) => w with { Regions = Regions(v) })
        .Field("avoid", (w, v) => w with { Avoid = Regions(v) })
        .Field("residency", (w, v) => w with { Residency = v.Words("countries", Residency) })
        .Field("certifications", (w, v) => w with { Certifications = v.Words("certifications", Certification) })
        .Field("latency", (w, v) => w with { Latency = LatencyFields.Read(v) })
        .Field("availability", (w, v) => w with { AvailabilityPercent = Percent(v) })
        .Field("offline", (w, v) => w with { Offline = v.Bool() })
        .Field("trust", (w, v) => w with { Trust = v.OneOf<TrustTier>() })
        .Field("interruptible", (w, v) => w with { Interruptible = v.Bool() });

    public static string Provider(FieldValue value)
    {
        var name = value.Word("a provider's name").Trim();
        if (name.Contains('/'))
            value.Expected("a provider's name without a region; write regions: [provider/region]");
        return ProviderName(name);
    }

    /// <summary>SkyPilot's short name for Kubernetes is the only one that is not the provider's own.</summary>
    public static string ProviderName(string name) => name.Equals("k8s", StringComparison.OrdinalIgnoreCase) ? "kubernetes" : name;

    public static IReadOnlyList<string> Regions(FieldValue value) => value.Words("regions", Region);

    /// <summary>dstack's spot policy; Cairn allows interruptible capacity and takes it where the whole bill is smaller.</summary>
    public static bool SpotPolicy(FieldValue value)
    {
        switch (value.Scalar)
        {
            case "spot" or "auto":
                return true;
            case "on-demand":
                return false;
            default:
                value.Expected("spot, on-demand or auto");
                return false;
        }
    }

    private static string Region(FieldValue value)
    {
        var region = value.Word("a region such as us-east-1, us-* or aws/us-east-1").Trim();
        var star = region.IndexOf('*');
        if (star >= 0 && star != region.Length - 1 && !region.StartsWith("*/", StringComparison.Ordinal))
            value.Expected("a region such as us-east-1, us-* or aws/us-east-1, with * only at its end");
        return region;
    }

    private static IReadOnlyList<DeploymentModel> DeploymentModels(FieldValue value)
    {
        if (value.Node is not YamlMapping)
            return [.. value.Items().Select(item => item.OneOf<DeploymentModel>()).Distinct()];
        value.Expected("a list of deployment models");
        return [];
    }

    private static string Residency(FieldValue value)
    {
        var word = value.Word("a country").Trim().ToUpperInvariant();
        if (word.Length == 0 || Countries.IsKnown(word))
            return word;
        var hint = Countries.Correct(word) is { } code ? $"; did you mean '{code}'?" : "";
        value.Error(
            DiagnosticCodes.InvalidValue,
            $"'{Excerpt.Of(word)}' is not a country code of ISO 3166-1 such as DE or US, nor EU or EEA{hint}");
        return word;
    }

    private static string Certification(FieldValue value)
    {
        var word = value.Word("a certification");
        var plain = string.Concat(word.Where(char.IsLetterOrDigit)).ToLowerInvariant();
        plain = plain is "pcidss" ? "pci" : plain is "iso27k" or "isoiec27001" ? "iso27001" : plain;
        if (plain.Length > 0 && !s_certifications.Contains(plain))
        {
            var known = string.Join(", ", s_certifications);
            value.Error(
                DiagnosticCodes.InvalidValue,
                $"expected one of {known}, found '{Excerpt.Of(word)}'{value.Reader.Near(plain, s_certifications)}");
        }

        return plain;
    }

    private static double Percent(FieldValue value)
    {
        var text = value.Scalar?.Trim();
        if (text is not null && Numbers.TryParse(text.EndsWith('%') ? text[..^1].TrimEnd() : text, out var percent)
            && percent is >= 0 and <= 100)
            return percent;
        value.Expected("a percentage from 0 to 100, such as 99.9");
        return 0;
    }
}
