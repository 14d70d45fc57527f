// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Code} from "./Code.sol";
import {Committee, Committees} from "./Committee.sol";
import {Digest} from "./Digest.sol";
import {Headers, Outbox} from "./Header.sol";
import {Institutions, InstitutionSet, Signatures, SignatureList} from "./Institutions.sol";
import {Reader, Reading} from "./Reader.sol";
import {hold} from "./Refusal.sol";

/// One era that a trust file lists.
struct Era {
    uint64 number;
    Committee committee;
    bool pinned;
    Outbox pin;
}

/// What a verifier starts from.
struct TrustFile {
    bytes32 network;
    uint64 issuedAt;
    uint64 trustingPeriod;
    Era[] eras;
    InstitutionSet institutions;
    SignatureList signatures;
    bytes32 fingerprint;
}

/// Source: `docs/byte-layout.md`, section 6.
library TrustFiles {
    uint256 private constant MAX = 16 * 1024 * 1024;
    uint256 private constant MAX_ERAS = 4096;
    uint256 private constant MAX_SUNSETS = 64;
    uint256 private constant MAX_ALGORITHM = 32;

    /// Reads all of a trust file. Signatures are not checked.
    function parse(bytes calldata file, bytes calldata points) internal view returns (TrustFile memory t) {
        hold(file.length <= MAX, Code.TooLong);
        Reader memory r = Reading.over(file, points);
        uint256 start = r.pos;
        hold(Reading.number(r, 8) == uint64(bytes8("ZGTRUST1")), Code.BadMagic);
        t.network = Reading.word(r);
        t.issuedAt = Reading.u64(r);
        t.trustingPeriod = Reading.u64(r);
        t.eras = readEras(r, file.length);
        bool sorted = readSunsets(r);
        t.institutions = Institutions.read(r);
        t.fingerprint = Digest.framed(Digest.SHA256, Digest.TRUST_FILE, start, r.pos - start);
        t.signatures = Signatures.read(r);
        checkEras(t.eras);
        hold(sorted, Code.NotSorted);
        Reading.finish(r);
    }

    /// Whether the present key is past its trusting period at `time`.
    function expired(TrustFile memory t, uint256 time) internal pure returns (bool) {
        // In 256 bits the sum is exact; one beyond 64 bits is never reached.
        return time >= uint256(t.issuedAt) + t.trustingPeriod;
    }

    function readEras(Reader memory r, uint256 length) private view returns (Era[] memory eras) {
        uint256 n = Reading.count(r, MAX_ERAS);
        // An era takes more than a hundred bytes, so a count that lies takes no memory for what cannot be there.
        uint256 room = length / 100;
        Era[] memory found = new Era[](n <= room ? n : room + 1);
        for (uint256 i = 0; i < n; i++) {
            uint64 number = Reading.u64(r);
            Committee memory committee = Committees.read(r);
            bool pinned = Reading.some(r);
            Outbox memory pin;
            if (pinned) pin = Headers.readOutbox(r);
            found[i] = Era({number: number, committee: committee, pinned: pinned, pin: pin});
        }
        return found;
    }

    function checkEras(Era[] memory eras) private pure {
        uint256 n = eras.length;
        hold(n != 0, Code.EmptySet);
        for (uint256 i = 0; i < n; i++) {
            hold(eras[i].pinned == (i + 1 != n), Code.ConsistencyMissing);
        }
        for (uint256 i = 1; i < n; i++) {
            hold(uint256(eras[i].number) == uint256(eras[i - 1].number) + 1, Code.NotNextEra);
        }
    }

    /// Sunsets make no difference to a proof; whether they ascend is answered later.
    function readSunsets(Reader memory r) private pure returns (bool sorted) {
        uint256 n = Reading.count(r, MAX_SUNSETS);
        bytes32 before;
        uint256 beforeLength;
        sorted = true;
        for (uint256 i = 0; i < n; i++) {
            (uint256 start, uint256 length) = Reading.text(r, MAX_ALGORITHM);
            bytes32 padded = bytes32(Reading.slice(start, length));
            // Zero bytes behind a shorter name: where the padded names are equal, the longer is the greater.
            if (i != 0 && (padded < before || (padded == before && length <= beforeLength))) sorted = false;
            (before, beforeLength) = (padded, length);
            Reading.take(r, 8);
        }
    }
}
