using System.Net;
using System.Net.Sockets;
using Cairn.Contracts.Api;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Providers;

/// <summary>What a provider may be; pure. Every mistake at once.</summary>
internal static class ProviderChecks
{
    public const int MostModels = 100;
    private const int MostName = 256;
    private const int MostCredential = 4096;
    private const decimal MostPrice = 1_000_000;

    public static IReadOnlyList<string> Problems(AddProviderRequest request)
    {
        var problems = new List<string>();
        if (request.Name is null || request.BaseUrl is null || request.Models is null || request.Models.Any(m => m?.Model is null))
            return ["name, base_url, models and each model's model are needed; one of them is null."];
        if (request.Name.Length is 0 or > 63 || !request.Name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') || request.Name[0] == '-')
            problems.Add($"'{request.Name}' is not a provider's name; expected 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit.");
        if (ProblemOfUrl(request.BaseUrl) is { } url)
            problems.Add(url);
        if (DialectOf(request.Dialect) is null)
            problems.Add($"dialect is '{request.Dialect}'; expected openai or anthropic.");
        // What goes into a header is visible ASCII (RFC 9110, 5.5); the value itself is not told.
        if (request.Credential is { } secret && (secret.Length is 0 or > MostCredential || secret.Any(c => c is < '!' or > '~')))
            problems.Add($"The credential has {secret.Length} characters; expected 1 to {MostCredential} letters, digits and signs of ASCII without spaces.");
        if (request.Models.Count is 0 or > MostModels)
            problems.Add($"There are {request.Models.Count} models; expected 1 to {MostModels}.");
        foreach (var model in request.Models.Take(MostModels))
            problems.AddRange(Problems(model));
        foreach (var twice in request.Models.GroupBy(m => m.Model, StringComparer.Ordinal).Where(g => g.Count() > 1))
            problems.Add($"The model '{twice.Key}' is named {twice.Count()} times; expected once.");
        return problems;
    }

    public static ApiDialect? DialectOf(string? text) => text switch
    {
        null or "openai" => ApiDialect.OpenAi,
        "anthropic" => ApiDialect.Anthropic,
        _ => null,
    };

    /// <summary>
    /// TLS is asked for beyond loopback, so that a credential never travels in the clear and whoever answers proves its name. Private
    /// addresses are allowed, for engines in one's own network; link-local ones, where clouds answer with a machine's own credentials,
    /// are not.
    /// </summary>
    private static string? ProblemOfUrl(string text)
    {
        const string expected = "expected such as https://api.example.com/v1";
        if (text.Length > 2048 || !Uri.TryCreate(text, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp))
            return $"base_url is '{(text.Length > 200 ? text[..200] + "…" : text)}'; {expected}.";
        if (url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
            return $"base_url has a user, a query or a fragment; {expected}, and the key as the credential.";
        var address = IPAddress.TryParse(url.DnsSafeHost, out var literal) ? literal : null;
        if (address is not null && IsLinkLocal(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address))
            return $"base_url leads to the link-local address {address}, where no provider is; {expected}.";
        if (url.Scheme == Uri.UriSchemeHttp && !url.IsLoopback)
            return $"base_url is '{url}', without TLS: the credential would travel in the clear; expected https, or http to loopback.";
        return null;
    }

    private static bool IsLinkLocal(IPAddress address) => address.IsIPv6LinkLocal || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
        || (address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes() is [169, 254, ..]);

    private static IEnumerable<string> Problems(ProviderModelView model)
    {
        foreach (var (what, name) in new[] { ("model", model.Model), ("upstream_model", model.UpstreamModel) })
        {
            if (name is not null && (name.Length is 0 or > MostName || name.Any(char.IsControl) || name[0] == '/'))
                yield return $"{what} is '{(name.Length > MostName ? name[..MostName] + "…" : name)}'; expected 1 to {MostName} characters, not beginning with '/'.";
        }
        var prices = new[] { ("input_price", model.InputPrice), ("output_price", model.OutputPrice), ("cached_input_price", model.CachedInputPrice ?? 0) };
        foreach (var (what, price) in prices)
        {
            if (price is < 0 or > MostPrice)
                yield return $"{what} of '{model.Model}' is {price}; expected 0 to {MostPrice:N0} dollars per million tokens.";
        }
        if (model.Weight is < 1 or > 1000)
            yield return $"weight of '{model.Model}' is {model.Weight}; expected 1 to 1000.";
        if (model.ContextLength < 0)
            yield return $"context_length of '{model.Model}' is {model.ContextLength}; expected 0 or more tokens.";
    }
}
