using Cairn.Contracts.Ids;

namespace Cairn.Market.Ledger;

/// <summary>
/// One account of the double-entry ledger, named so that a person can read it: <c>project/…/available</c>. A positive balance is what the
/// owner has; the balances of all accounts add up to zero, because what was granted stands against <see cref="ExternalCredits"/>.
/// </summary>
internal readonly record struct Account(string Name)
{
    /// <summary>Where granted credits come from: minus all that was ever granted.</summary>
    public static readonly Account ExternalCredits = new("external/credits");

    /// <summary>The market's fees.</summary>
    public static readonly Account Fees = new("platform/fees");

    /// <summary>
    /// What work has cost beyond the funds of those who ordered it: the platform pays, so that a supplier never waits for a renter's
    /// funds.
    /// </summary>
    public static readonly Account WrittenOff = new("platform/written-off");

    /// <summary>Can be held for new work.</summary>
    public static Account Available(ProjectId project) => new($"project/{project}/available");

    /// <summary>Held for jobs that wait or run.</summary>
    public static Account Held(ProjectId project) => new($"project/{project}/held");

    /// <summary>Earned by a provider and not yet paid out.</summary>
    public static Account Earned(string provider) => new($"provider/{provider.ToLowerInvariant()}/earned");

    /// <summary>Earned by an endpoint, for the project that serves it.</summary>
    public static Account Served(EndpointId endpoint) => new($"endpoint/{endpoint}/earned");

    /// <summary>Whether it is what a project can hold or spend.</summary>
    public bool IsAvailable => Name.EndsWith("/available", StringComparison.Ordinal);

    /// <summary>Only the outside world and the platform's own expense may stand below zero.</summary>
    public bool MayGoNegative => Name.StartsWith("external/", StringComparison.Ordinal) || this == WrittenOff;

    public override string ToString() => Name;
}
