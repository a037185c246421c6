using Cairn.Contracts.Identity;

namespace Cairn.Server.Identity;

/// <summary>Which role a request needs. Reading needs a viewer, changing a member; what touches the whole installation needs an admin.</summary>
internal static class AccessRules
{
    private static readonly string[] s_adminPrefixes =
        ["/api/v1/join-tokens", "/api/v1/keys", "/api/v1/catalog", "/api/v1/projects", "/api/v1/nodes", "/api/v1/providers", "/api/v1/gateways"];

    /// <summary>POSTs that change nothing.</summary>
    private static readonly string[] s_readingPosts = ["/api/v1/plan", "/api/v1/blobs/missing"];

    /// <summary>What gateways that run alone ask for: nobody else needs it, and they need nothing else.</summary>
    public static bool IsForGateways(string path) => path.StartsWith("/api/v1/gateway/", StringComparison.OrdinalIgnoreCase);

    public static Role Needed(string method, string path)
    {
        if (IsForGateways(path))
            return Role.Admin;
        var reads = method is "GET" or "HEAD";
        if (!reads && Array.Exists(s_readingPosts, p => path.Equals(p, StringComparison.OrdinalIgnoreCase)))
            return Role.Viewer;
        var installation = Array.Exists(s_adminPrefixes, p => path.StartsWith(p, StringComparison.OrdinalIgnoreCase));

        // Join tokens and keys are not for reading by others, though they show no secret.
        if (reads)
        {
            return path.StartsWith("/api/v1/keys", StringComparison.OrdinalIgnoreCase) || path.StartsWith("/api/v1/join-tokens", StringComparison.OrdinalIgnoreCase)
                ? Role.Admin
                : Role.Viewer;
        }

        return installation ? Role.Admin : Role.Member;
    }
}
